import { dequantizeBlocks } from '../../util/block-formats.ts'
import type { Evaluate } from './value.ts'

/** Each row consists of whole blocks, so all rows can be converted as one. */
export const dequantize: Evaluate<'dequantize'> = (node, [x], run) => {
  const out = run.empty(node)
  out.set(dequantizeBlocks(node.attrs.format, x.data as Uint8Array))
  return out
}
