import { randn, tensor } from '../../../src/index.ts'
import {
  Linear,
  MultiHeadAttention,
  quantize,
  Sequential,
  splitHeads,
} from '../../../src/nn/index.ts'
import type { QuantizeFormat } from '../../../src/util/quantize-blocks.ts'
import type { RemedyCase } from './case.ts'

export const engineCases: RemedyCase[] = [
  {
    site: 'src/nn/attention.ts#splitHeads',
    run: ({ heads = 4 }) => splitHeads(tensor([[[1, 2, 3, 4, 5, 6]]]), Number(heads)),
  },
  {
    site: 'src/nn/multi-head-attention.ts#checkConfig',
    run: ({ heads = 5 }) =>
      new MultiHeadAttention({ embedDim: 12, heads: Number(heads) }).forward(randn([1, 3, 12])),
  },
  {
    site: 'src/nn/quantize.ts#quantize',
    run: ({ format = 'q2_k' }) =>
      quantize(new Sequential(new Linear(32, 32)), format as QuantizeFormat),
  },
]
