// Bicubic interpolation (Keys, 1981) as a matrix product, with the results of torch.nn.functional.interpolate.
import { type Tensor, tensor } from '../../tensor/index.ts'

const A = -0.75 // parameter of the kernel, as in torch and OpenCV

/** Resizes a grid of vectors (h, w, C) to (H, W, C). The outer corners of both grids are aligned. */
export function resizeGrid(grid: Tensor, height: number, width: number): Tensor {
  const [h, w, channels] = grid.shape
  const rows = bicubicMatrix(h, height) // (H, h)
  const columns = bicubicMatrix(w, width) // (W, w)
  const tall = rows.matmul(grid.reshape(h, w * channels)).reshape(height, w, channels)
  return columns.matmul(tall)
}

/** Interpolation weights (to, from). Positions beyond the border use the border value. */
function bicubicMatrix(from: number, to: number): Tensor {
  const values = new Float32Array(to * from)
  for (let row = 0; row < to; row++) {
    const at = ((row + 0.5) * from) / to - 0.5
    const first = Math.floor(at) - 1
    for (let tap = first; tap < first + 4; tap++) {
      const column = Math.min(from - 1, Math.max(0, tap))
      values[row * from + column] += weightAt(Math.abs(at - tap))
    }
  }
  return tensor(values, { shape: [to, from] })
}

/** The kernel: (a+2)x³ - (a+3)x² + 1 for x ≤ 1, ax³ - 5ax² + 8ax - 4a for x < 2. */
function weightAt(x: number): number {
  if (x <= 1) return ((A + 2) * x - (A + 3)) * x * x + 1
  return x < 2 ? A * (((x - 5) * x + 8) * x - 4) : 0
}
