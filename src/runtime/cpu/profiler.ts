// Combines the kernel times that the addon records with the kernel calls of each run.
import { costOf, type KernelCall } from '../../schedule/kernel-call.ts'
import type { KernelTime } from '../device.ts'
import type { Addon } from './addon.ts'

export class Profiler {
  /** The kernel calls of each run, in the order of submission, which is the order of execution. */
  private readonly runs: (readonly KernelCall[])[] = []
  private readonly addon: Addon

  constructor(addon: Addon) {
    this.addon = addon
    addon.takeProfile() // discard an earlier recording
    addon.profile(true)
  }

  launched(calls: readonly KernelCall[]): void {
    this.runs.push(calls)
  }

  /** Stops the recording. Runs that have not ended yet are not included. */
  stop(): KernelTime[] {
    this.addon.profile(false)
    const { command, micros } = this.addon.takeProfile()
    let run = -1
    return command.flatMap((number, i) => {
      if (number === 0) run++
      const call = this.runs[run]?.[number]
      if (!call) return [] // from a device in another thread, which shares the addon
      const { kernel, scope } = call
      return [{ run, kernel, scope, micros: micros[i], cost: costOf(call) }]
    })
  }
}
