export function buildNative(options?: {
  verbose?: boolean
  force?: boolean
  progress?: (line: string) => void
}): Promise<{
  ok: boolean
  reason: string
  detail: string
  path: string
  seconds: number
}>
