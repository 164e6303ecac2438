import { dequantizeBlocks } from '../../util/block-formats.ts'
import type { Evaluate } from './value.ts'

/** Rows are whole blocks, so the rows one after the other are too. */
export const dequantize: Evaluate<'dequantize'> = (node, [x], run) => {
  const out = run.empty(node)
  out.set(dequantizeBlocks(node.attrs.format, x.data as Uint8Array))
  return out
}
