// The contract of all devices: each operation, forward and backward, as the reference computes it in
// doubles. The cases are those of the gradient checks, so an operation without one does not compile.
import { describe, expect, it } from 'vitest'
import { gradients } from '../../src/grad/backward.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Device } from '../../src/index.ts'
import { type Case, cases } from '../grad/cases.ts'
import { cpuDevices, onEach } from '../support/devices.ts'
import { evaluate, noise } from '../support/evaluate.ts'

const TOLERANCE = 2e-5 // of the largest number: some gradients are differences of larger ones

const tested = Object.entries(cases).filter(([, list]) => Array.isArray(list)) as [string, Case[]][]

async function expectSame(nodes: readonly Node[], device: Device): Promise<void> {
  const [want, got] = [await evaluate(nodes), await evaluate(nodes, device)]
  nodes.forEach((node, i) => {
    const size = Math.max(1, ...want[i].map(Math.abs).filter(Number.isFinite))
    got[i].forEach((value, j) => {
      const error = Math.abs(value - want[i][j])
      const same = Object.is(value, want[i][j]) || error <= TOLERANCE * size
      if (!same) expect(value, `${node.op}, output ${i}, element ${j}`).toBe(want[i][j])
    })
  })
}

onEach(cpuDevices, (device) => {
  describe.each(tested)('%s', (_, list) => {
    it.each([...list.entries()])('case %i', async (_, make) => {
      const { wrt, outputs } = make()
      const weights = outputs.map((output) => noise(output.shape))
      const grads = gradients(outputs, weights, wrt).filter((grad) => grad !== null)
      await expectSame([...outputs, ...grads], device())
    })
  })
})
