import type { Device, KernelTime } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { synchronize } from './submit.ts'

/**
 * Profiles the kernels that run during `work`. Returns the time of each kernel in order, with the path of its module:
 *
 *     const times = await profile(async () => { loss.backward(); await optimizer.step() })
 *     writeFileSync('trace.json', JSON.stringify(chromeTrace(times)))
 *
 * The first run of a step also compiles its program. Kernel times do not include that.
 * @throws HeedError if the device cannot time kernels, or a profile is already running
 */
export async function profile(
  work: () => Promise<unknown>,
  device: Device = defaultDevice(),
): Promise<KernelTime[]> {
  checkArgument('profile', 'work', work, 'function')
  if (!device.profile)
    throw new HeedError(
      'unsupported',
      `profile() must run on a device that times its kernels, got ${device.name}`,
      {
        key: 'device',
        value: device.name,
        remedy: 'Profile on the cpu device.',
      },
    )
  await synchronize()
  const stop = device.profile()
  let times: KernelTime[] = []
  try {
    await work()
    await synchronize()
  } finally {
    times = stop()
  }
  return times
}
