export function buildNative(options?: { verbose?: boolean; force?: boolean }): Promise<{
  ok: boolean
  reason: string
  detail: string
  path: string
  seconds: number
}>
export const commonFlags: string[]
/** Of the kernels, beside the common ones and those of the instruction set. */
export const kernelFlags: string[]
