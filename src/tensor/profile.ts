import type { Device, KernelTime } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { synchronize } from './submit.ts'

/**
 * Runs `work` and returns how long each kernel took, in order, with the module that asked for it:
 *
 *     const times = await profile(async () => { loss.backward(); await optimizer.step() })
 *     writeFileSync('trace.json', JSON.stringify(chromeTrace(times)))
 *
 * The first run of a step compiles its program, which no kernel's time shows.
 * @throws HeedError on a device that does not time its kernels, or when a profile is under way.
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
