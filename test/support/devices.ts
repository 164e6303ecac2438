// Runs a suite on every device that works here: the contract is one, the implementations are many.
import { afterAll, beforeAll, describe } from 'vitest'
import { type Device, defaultDevice, setDefaultDevice } from '../../src/index.ts'
import { loadAddon } from '../../src/runtime/cpu/addon.ts'
import { CpuDevice } from '../../src/runtime/cpu/device.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'

export interface Candidate {
  name: string
  /** `threads`: as many as the machine has, unless named. */
  make: (options?: { threads?: number }) => Device
}

const { addon, reason } = loadAddon()
if (!addon) console.warn(`The native device is not tested: ${reason}`)

/** One for each instruction set of the native device. They share settings: use one at a time. */
export const cpuDevices: Candidate[] = (addon?.isas ?? []).map((isa) => ({
  name: `cpu ${isa}`,
  make: (options = {}) => new CpuDevice({ ...options, isa }),
}))

export const allDevices: Candidate[] = [
  { name: 'reference', make: () => new ReferenceDevice() },
  ...cpuDevices,
]

/** `suite` once for each device, which is the default one meanwhile. */
export function onEach(candidates: Candidate[], suite: (device: () => Device) => void): void {
  describe.each(candidates)('on $name', ({ make }) => {
    let before: Device
    let device: Device
    beforeAll(() => {
      before = defaultDevice()
      device = make()
      setDefaultDevice(device)
    })
    afterAll(() => {
      setDefaultDevice(before)
    })
    suite(() => device)
  })
}
