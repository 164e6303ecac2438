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
/** Finds a C++ compiler. @throws Error with the names that were tried */
export function findCompiler(): Promise<Compiler>
