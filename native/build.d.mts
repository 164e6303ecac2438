export function buildNative(options?: { verbose?: boolean; force?: boolean }): Promise<{
  ok: boolean
  reason: string
  detail: string
  path: string
  seconds: number
}>
