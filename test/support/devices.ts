// Runs a suite on every device that works here: the contract is one, the implementations are many.
import { afterAll, beforeAll, describe } from 'vitest'
import { type Device, defaultDevice, setDefaultDevice } from '../../src/index.ts'
import { CpuDevice } from '../../src/runtime/cpu/device.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { WasmDevice } from '../../src/runtime/wasm/device.ts'
import { supportedIsas, wasmIsas } from '../../src/runtime/wasm/load.ts'
import { isOtherNode, native } from './native.ts'
import { pipedAddon } from './piped-addon.ts'

export interface Candidate {
  name: string
  /** `threads`: as many as the machine has, unless named. */
  make: (options?: { threads?: number }) => Device
}

/** NEON alone, while HEED_KERNEL_SERVER names a kernel server (see scripts/test-neon.ts). */
const served = servedDevices()

/** Where only native kernels are tested, since the others are the same everywhere: these. */
const alone = served ?? (isOtherNode ? nativeDevices() : null)

/** One for each way in which the kernels are built. Those of a kind share settings: use one at a time. */
export const cpuDevices: Candidate[] = alone ?? [...nativeDevices(), ...wasmDevices()]

/** Those that time their kernels, which the kernel server does not. */
export const timedDevices: Candidate[] = served ? [] : cpuDevices

export const allDevices: Candidate[] = alone ?? [
  { name: 'reference', make: () => new ReferenceDevice() },
  ...cpuDevices,
]

/** One of each kind: the reference, native, WebAssembly with threads and without. */
export const oneOfEach: Candidate[] = alone ?? [
  ...allDevices.slice(0, 1),
  ...cpuDevices.filter(({ name }) => name.startsWith('cpu')).slice(0, 1),
  ...cpuDevices.filter(({ name }) => name.startsWith('wasm')).slice(-2),
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

function nativeDevices(): Candidate[] {
  return (native().addon?.isas ?? []).map((isa) => ({
    name: `cpu ${isa}`,
    make: (options = {}) => new CpuDevice({ ...options, isa }),
  }))
}

function servedDevices(): Candidate[] | null {
  const command = process.env.HEED_KERNEL_SERVER
  if (!command) return null
  const addon = pipedAddon(command.split(' '))
  const [isa] = addon.isas
  return [{ name: `cpu ${isa}`, make: (options = {}) => new CpuDevice({ ...options, isa }, addon) }]
}

function wasmDevices(): Candidate[] {
  for (const isa of wasmIsas)
    if (!supportedIsas().includes(isa))
      console.warn(`wasm ${isa} is not tested: Node is too old for it`)
  return [
    ...supportedIsas().map((isa) => ({
      name: `wasm ${isa}`,
      make: (options = {}) => new WasmDevice({ threads: 2, ...options, isa }),
    })),
    {
      name: 'wasm on one thread',
      make: (options = {}) => new WasmDevice({ ...options, isa: 'simd128', workers: false }),
    },
  ]
}
