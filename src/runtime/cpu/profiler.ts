// Times of kernels, as the addon records them, put together with the calls that they belong to.
import { costOf, type KernelCall } from '../../schedule/kernel-call.ts'
import type { KernelTime } from '../device.ts'
import type { Addon } from './addon.ts'

export class Profiler {
  /** The kernel calls of each run, in the order of submission, which is the order of execution. */
  private readonly runs: (readonly KernelCall[])[] = []
  private readonly addon: Addon

  constructor(addon: Addon) {
    this.addon = addon
    addon.takeProfile() // what somebody else has left
    addon.profile(true)
  }

  launched(calls: readonly KernelCall[]): void {
    this.runs.push(calls)
  }

  /** Ends the recording. Runs that are still under way are not in it. */
  stop(): KernelTime[] {
    this.addon.profile(false)
    const { command, micros } = this.addon.takeProfile()
    let run = -1
    return command.flatMap((number, i) => {
      if (number === 0) run++
      const call = this.runs[run]?.[number]
      if (!call) return [] // of a device in another thread: it shares the addon
      const { kernel, scope } = call
      return [{ run, kernel, scope, micros: micros[i], cost: costOf(call) }]
    })
  }
}
