// Every operation and its gradient, on random shapes, dtypes and strides.
import { describe, it } from 'vitest'
import { expectAgreementWithGradients } from './agreement.ts'
import { graphs, type RandomGraph } from './graphs.ts'
import { property } from './sampler.ts'

const tested = Object.entries(graphs).filter(([, graph]) => typeof graph === 'function')

describe('every operation and its gradient', () => {
  it.each(tested as [string, RandomGraph][])('%s', (op, graph) =>
    property(30, async (draw) => {
      const outputs = graph(draw)
      // Results of backward operations are sums over rows or places, which may come out near 0.
      const floor = op.endsWith('Backward') || op.startsWith('convolution') ? 30 : 1
      await expectAgreementWithGradients(outputs, draw.leaves, { floor })
    })(),
  )
})
