import { defaultDevice } from '../runtime/devices.ts'
import { version } from '../util/version.ts'

/** What results depend on beside the configuration: they repeat bit for bit on the same only. */
export interface ComputedOn {
  heed: string
  device: string
}

export function computedOn(): ComputedOn {
  const device = defaultDevice()
  const isa = 'isa' in device ? ` ${device.isa}` : ''
  return { heed: version, device: `${device.name}${isa}` }
}

/** A warning for a run that was begun elsewhere. */
export function otherMachine({ computed_on }: { computed_on: ComputedOn }): string | undefined {
  const now = computedOn()
  if (JSON.stringify(now) === JSON.stringify(computed_on)) return undefined
  return `This run was computed on ${computed_on.device} with heed ${computed_on.heed}; on ${now.device} with heed ${now.heed} it goes on, but not bit for bit.`
}
