import type { Addon } from '../../src/runtime/cpu/addon.ts'
import { command, type View } from './words.ts'

/** One well-formed command of every kernel, by name; buffers from 2 on, one for each view. */
export function samples(addon: Addon): Record<string, number[]> {
  const [B, H, T, S, D, C] = [2, 4, 3, 5, 8, 6]
  const [q, k, lse, scores] = [
    [B, H, T, D],
    [B, 2, S, D],
    [B, H, T],
    [B, H, T, S],
  ]
  const norm = [[T, C], [C]]
  const [one, i32, bool] = [of('f32', []), of('i32', []), of('boolean', scores)]
  const optional = [of('f32', scores), bool, i32, of('u32', [1]), of('u32', [1])]
  const attention = [0.5, 1, 1, 1, 1, 0.25]
  const [images, kernels, places] = [
    [B, 4, 7, 5],
    [6, 2, 3, 2],
    [B, 6, 4, 2],
  ]
  const plane = [2, 3, 1, 0, 1, 1, 1, 2, 2] // stride, before, behind, dilation, groups
  const rows = of('i32', [T])
  const commands: Record<string, [(number[] | View)[], (number | string)[]]> = {
    elementwise: [
      [
        [T, C],
        [T, C],
        [T, C],
      ],
      [2, 1, 2, 'add_f32', 2, 0, 1, 0, 'index', 3, 1, 0, 0, 2],
    ],
    reduce: [
      [[T, S, C], [T]],
      [0, 0, 1, 1, 1, 'exp_f32', 1, 0, 0, 0, 1],
    ],
    cumulative: [
      [
        [T, C],
        [T, C],
      ],
      [0, 1],
    ],
    sort: [[[T, C], [T, C], of('i32', [T, C])], [1]],
    topk: [
      [[T, C], [T, 2], of('i32', [T, 2])],
      [2, 1],
    ],
    take: [[[T, C], of('i32', [S, 2]), [S, 2, C]], [0]],
    scatterAdd: [[[T, C], of('i32', [S, 2]), [T, S, 2], [T, C]], [1]],
    scatterSet: [[[T, C], of('i32', [S]), [S, C], [T, C]], [0]],
    foldWindow: [
      [
        [B, T, 2, 3, 2],
        [B, 7, 6],
      ],
      [2, 2, 1, 1, 3],
    ],
    copyAt: [[[T, 2], [T, C], i32], [1]],
    sliceAt: [[[T, C], i32, [2, C]], [0]],
    matmul: [
      [
        [B, T, D],
        [B, D, C],
        [B, T, C],
        [B, T, C],
      ],
      [1, 1],
    ],
    convolution: [[images, kernels, places], plane],
    convolutionInput: [[places, kernels, images], plane],
    convolutionWeight: [[images, places, kernels], plane],
    maxPool: [
      [images, [B, 4, 4, 2], of('i32', [B, 4, 4, 2])],
      [3, 2, ...plane.slice(0, 8)],
    ],
    maxPoolBackward: [
      [of('i32', [B, 4, 4, 2]), [B, 4, 4, 2], images],
      [3, 2, ...plane.slice(0, 8)],
    ],
    matmulQuantized: [
      [[B, T, 64], of('u8', [C, 36]), [C], [B, T, C]],
      [1, 1],
    ],
    dequantize: [[of('u8', [T, 68]), [T, 64]], [0]],
    softmax: [
      [
        [T, C],
        [T, C],
      ],
      [0],
    ],
    softmaxBackward: [
      [
        [T, C],
        [T, C],
        [T, C],
      ],
      [1],
    ],
    layerNorm: [[...norm, [C], [T, C], [T], [T]], [1e-5]],
    layerNormBackward: [[...norm, [T], [T], [T, C], [T, C], [C], [C]], []],
    rmsNorm: [[...norm, [T, C], [T]], [1e-5]],
    rmsNormBackward: [[...norm, [T], [T, C], [T, C], [C]], []],
    channelNorm: [
      [[B, H, D], [H], [H], [B, H, D], [B, 2], [B, 2]],
      [1e-5, 2],
    ],
    channelNormBackward: [
      [[B, H, D], [H], [H], [H], [B, H, D], [B, H, D], [H], [H]],
      [1e-5, 0],
    ],
    crossEntropy: [
      [[T, C], rows, [T], [T]],
      [-100, 0.1],
    ],
    crossEntropyBackward: [
      [[T, C], rows, [T], [T], [T, C]],
      [-100, 0.1],
    ],
    attention: [[q, k, k, ...optional, q, lse], attention],
    attentionBackward: [[q, k, k, q, lse, q, ...optional, q, k, k, scores], attention],
    adamw: [[...repeat(4, [T, C]), ...repeat(8, one), ...repeat(3, [T, C])], []],
    probe: [
      [[T, C], [T]],
      [0, 1],
    ],
  }
  return Object.fromEntries(
    Object.entries(commands).map(([kernel, [shapes, attrs]]) => {
      const views = shapes.map((s, i) => ({
        ...(Array.isArray(s) ? of('f32', s) : s),
        buffer: i + 2,
      }))
      return [kernel, command(addon, kernel, views, attrs)]
    }),
  )
}

function of(dtype: View['dtype'], shape: number[]): View {
  return { buffer: 0, shape, dtype }
}

function repeat<T>(count: number, value: T): T[] {
  return new Array(count).fill(value)
}
