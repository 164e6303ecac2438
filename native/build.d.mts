import type { Compiler } from './compile.mjs'

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

export const linkFlags: string[]
/** @throws Error that says what was looked for */
export function findCompiler(): Promise<Compiler>
