import type { Addon, BufferHandle } from '../../src/runtime/cpu/addon.ts'

// Programs written by hand, as the scheduler would encode them.

export const DTYPES = ['f32', 'i32', 'u32', 'u8', 'boolean'] as const
export interface View {
  buffer: number
  shape: number[]
  dtype?: (typeof DTYPES)[number]
  stride?: number[]
  offset?: number
}

/** One command. `attrs` may name micro-ops. */
export function command(
  addon: Addon,
  kernel: string,
  views: View[],
  attrs: (number | string)[],
): number[] {
  const numbers = attrs.map((a) => (typeof a === 'string' ? addon.microOps.indexOf(a) : a))
  return [
    addon.kernels.indexOf(kernel),
    views.length,
    attrs.length,
    ...views.flatMap(encode),
    ...numbers,
  ]
}

/** out = a op b over vectors of length n. */
export function binary(addon: Addon, op: string, n: number, [a, b, out]: number[]): number[] {
  const views = [a, b, out].map((buffer) => ({ buffer, shape: [n] }))
  return command(addon, 'elementwise', views, [2, 1, 1, op, 2, 0, 1, 0, 2])
}

/** out = a @ b over square matrices. */
export function matmul(addon: Addon, n: number, [a, b, out]: number[]): number[] {
  const views = [a, b, out].map((buffer) => ({ buffer, shape: [n, n] }))
  return command(addon, 'matmul', views, [0])
}

export function upload(addon: Addon, values: ArrayLike<number>): BufferHandle {
  const handle = addon.allocate(values.length * 4)
  addon.write(handle, 0, Float32Array.from(values))
  return handle
}

export async function download(addon: Addon, handle: BufferHandle, n: number): Promise<number[]> {
  return [...new Float32Array(await addon.read(handle, 0, n * 4))]
}

function encode({
  buffer,
  shape,
  dtype = 'f32',
  stride = rowMajor(shape),
  offset = 0,
}: View): number[] {
  return [buffer, DTYPES.indexOf(dtype), offset, shape.length, ...shape, ...stride]
}

function rowMajor(shape: number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
}
