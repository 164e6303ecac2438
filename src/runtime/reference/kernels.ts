// Operations for which the fast devices have kernels: products, scans, concatenation, indexing and sorting.
import type { KernelOps } from '../../graph/ops.ts'
import { dequantize } from './dequantize.ts'
import { indexing } from './indexing.ts'
import { joining } from './joining.ts'
import { matmul } from './matmul.ts'
import { order } from './order.ts'
import { scans } from './scans.ts'
import type { Evaluators } from './value.ts'

export const kernels: Evaluators<keyof KernelOps> = {
  matmul,
  dequantize,
  ...scans,
  ...joining,
  ...indexing,
  ...order,
}
