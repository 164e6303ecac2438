import { describe, expect, it } from 'vitest'
import { CpuDevice } from '../../src/runtime/cpu/device.ts'
import { probe, probeMultiplyAdds } from '../../src/runtime/cpu/probe.ts'

describe('the probe of the processor', () => {
  const device = new CpuDevice()

  it('finds ceilings that a processor can have, and gives its memory back', async () => {
    const before = device.memory().live
    const { flops, read, readWrite } = await probe(device, 1, 1)
    for (const rate of [flops, read, readWrite]) {
      expect(rate).toBeGreaterThan(1e7)
      expect(rate).toBeLessThan(1e14)
    }
    expect(device.memory().live).toBe(before)
  })

  it('takes any number of threads', async () => {
    expect(await probeMultiplyAdds(device, 3, 1)).toBeGreaterThan(0)
  })
})
