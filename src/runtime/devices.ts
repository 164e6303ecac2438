// Which device computes when nobody says: the best there is, or what HEED_DEVICE names.
import { HeedError } from '../util/errors.ts'
import { CpuDevice } from './cpu/device.ts'
import type { Device } from './device.ts'
import { ReferenceDevice } from './reference/device.ts'
import { WasmDevice } from './wasm/device.ts'

/** What to expect instead of the native kernels. */
const pace: Record<string, string> = { wasm: 'some 3 to 8 times slower', reference: 'far slower' }

/** Best first. */
const factories = new Map<string, () => Device>([
  ['cpu', () => new CpuDevice()],
  ['wasm', () => new WasmDevice()],
  ['reference', () => new ReferenceDevice()],
])
const made = new Map<string, Device>()
let chosen: Device | null = null

export const deviceNames = (): string[] => [...factories.keys()]

/** @throws HeedError when there is none of this name, or it does not work on this machine. */
export function device(name: string): Device {
  let found = made.get(name)
  if (!found) {
    const factory = factories.get(name)
    if (!factory)
      throw new HeedError('unknown-name', `There is no device '${name}'`, {
        remedy: `Known devices: ${deviceNames().join(', ')}.`,
      })
    found = factory()
    made.set(name, found)
  }
  return found
}

export function defaultDevice(): Device {
  chosen ??= firstThatWorks()
  return chosen
}

/** From now on, new tensors are computed here. Those that lie elsewhere stay where they are. */
export function setDefaultDevice(which: Device | string): Device {
  chosen = typeof which === 'string' ? device(which) : which
  return chosen
}

function firstThatWorks(): Device {
  const wanted = typeof process === 'undefined' ? undefined : process.env.HEED_DEVICE
  if (wanted) return device(wanted)
  let reason: unknown
  for (const name of factories.keys()) {
    try {
      const found = device(name)
      if (reason)
        console.warn(`heed: ${(reason as Error).message}. Computing on ${name}, ${pace[name]}.`)
      return found
    } catch (error) {
      reason ??= error
    }
  }
  throw reason
}
