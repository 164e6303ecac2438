// Devices by name, and the one that computes by default: the first that works, or HEED_DEVICE.

import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { Registry } from '../util/registry.ts'
import { checkSettings, setting } from '../util/settings.ts'
import { warn } from '../util/warn.ts'
import { CpuDevice } from './cpu/device.ts'
import type { Device } from './device.ts'
import { ReferenceDevice } from './reference/device.ts'
import { WasmDevice } from './wasm/device.ts'

/** Describes a device for `registerDevice`. */
export interface DeviceDefinition {
  /** The name for `device(name)` and HEED_DEVICE. */
  readonly name: string
  /** Expected speed, for the warning when Heed falls back to this device. */
  readonly speed?: string
  /** Called once, when the device is first used. @throws HeedError where it does not work */
  create(): Device
}

const DEFINITION = optionKinds<DeviceDefinition>({
  name: 'text',
  speed: 'text?',
  create: 'function',
})

const registry = new Registry<DeviceDefinition>('device')
const opened = new Map<string, Device>()
let chosen: Device | null = null

/**
 * Makes a device available by name. It becomes the default only if it is selected (`setDefaultDevice`,
 * HEED_DEVICE) or if none of the devices registered before it works.
 * @throws HeedError when the name is taken or unsafe, or `create` is not a function
 */
export function registerDevice(definition: DeviceDefinition): void {
  checkArgument('registerDevice', 'definition', definition, 'object')
  DEFINITION.check('registerDevice', definition)
  registry.register(definition.name, definition)
}

/** Names of all devices in the order of registration: built-in devices, fastest first, then your own. */
export const deviceNames = (): string[] => registry.names()

/**
 * Returns the device with this name and opens it on first use.
 * @throws HeedError when no device has this name, or it does not work on this machine
 */
export function device(name: string): Device {
  const before = opened.get(name)
  if (before) return before
  const created = registry.get(name).create()
  checkDevice(name, created)
  opened.set(name, created)
  return created
}

/**
 * Returns the device on which new tensors are computed: the one set by `setDefaultDevice` or HEED_DEVICE, otherwise
 * the first that works. A warning names the reason if that is not the fastest one.
 * @throws HeedError when HEED_DEVICE or another setting is wrong
 */
export function defaultDevice(): Device {
  chosen ??= firstThatWorks()
  return chosen
}

/**
 * Sets the device on which new tensors are computed, and returns it. Existing tensors stay on their device.
 * @param which a device or the name of one
 * @throws HeedError when no device has this name, or it does not work on this machine
 */
export function setDefaultDevice(which: Device | string): Device {
  if (typeof which === 'string') return (chosen = device(which))
  checkArgument('setDefaultDevice', 'device', which, 'object')
  checkDevice(which.name, which)
  chosen = which
  return chosen
}

function firstThatWorks(): Device {
  checkSettings()
  const name = setting('HEED_DEVICE')
  if (name) return device(name)
  let reason: unknown
  for (const { name, speed = 'speed unknown' } of registry.values()) {
    try {
      const working = device(name)
      if (reason) warn(`${textOf(reason)} Computing on ${name}, ${speed}.`)
      return working
    } catch (error) {
      if (isMistake(error)) throw error
      reason ??= error
    }
  }
  throw reason
}

/** A wrong setting (HEED_THREADS=0) or an incomplete package is an error that a slower device must not hide. */
const isMistake = (error: unknown): boolean =>
  error instanceof HeedError && (error.code === 'invalid-option' || error.code === 'missing-file')

function checkDevice(name: string, created: Device): void {
  const methods = ['allocate', 'upload', 'write', 'read', 'compile', 'dispose', 'memory'] as const
  const missing = methods.filter((method) => typeof created?.[method] !== 'function')
  if (missing.length > 0)
    throw new HeedError(
      'invalid-option',
      `The device '${name}' must have the methods of Device, but lacks ${missing.join(', ')}`,
      { key: 'device', value: name, remedy: 'Return a Device from `create` in registerDevice.' },
    )
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const remedy = error instanceof HeedError ? error.remedy : undefined
  return `${error.message}. ${remedy ?? ''}`.trimEnd()
}

registerDevice({ name: 'cpu', create: () => new CpuDevice() })
registerDevice({
  name: 'wasm',
  speed: 'about 3 to 8 times slower than the native kernels',
  create: () => new WasmDevice(),
})
registerDevice({
  name: 'reference',
  speed: 'far slower than the native kernels',
  create: () => new ReferenceDevice(),
})
