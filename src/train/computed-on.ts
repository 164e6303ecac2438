import { defaultDevice } from '../runtime/devices.ts'
import { version } from '../util/version.ts'

/** The build and device of a run. Results are bitwise identical only on the same build and device. */
export interface ComputedOn {
  /** Version of Heed. */
  heed: string
  /** Name of the device, and the instruction set of a CPU: `cpu avx2`. */
  device: string
}

export function computedOn(): ComputedOn {
  const device = defaultDevice()
  const isa = 'isa' in device ? ` ${device.isa}` : ''
  return { heed: version, device: `${device.name}${isa}` }
}

/** A warning for a run that was started with another build or on another device; otherwise undefined. */
export function otherMachine({ computed_on }: { computed_on: ComputedOn }): string | undefined {
  const now = computedOn()
  if (JSON.stringify(now) === JSON.stringify(computed_on)) return undefined
  return `This run was started on ${computed_on.device} with heed ${computed_on.heed} and resumes on ${now.device} with heed ${now.heed}. Results will not be bitwise identical.`
}
