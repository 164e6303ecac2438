import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import type { Schedule } from './schedules.ts'

/** Multiplies the initial learning rate of each group by the factor of a schedule. */
export class LRScheduler {
  /** Number of calls of `step`. */
  stepCount = 0
  private readonly groups: readonly { lr: number }[]
  private readonly initial: readonly number[]
  private readonly schedule: Schedule

  /** Sets the learning rate of step 0. */
  constructor(optimizer: { groups: readonly { lr: number }[] }, schedule: Schedule) {
    if (!Array.isArray(optimizer?.groups))
      throw wrongArgument('LRScheduler', 'optimizer', optimizer, 'an Optimizer')
    checkArgument('LRScheduler', 'schedule', schedule, 'function')
    this.groups = optimizer.groups
    this.initial = this.groups.map((group) => group.lr)
    this.schedule = schedule
    this.setStep(0)
  }

  /** Sets the learning rate of the next step. Call it after each step of the optimiser. */
  step(): void {
    this.setStep(this.stepCount + 1)
  }

  /** Sets the learning rate of a given step, for example to resume a run. */
  setStep(step: number): void {
    checkArgument('setStep', 'step', step, 'count')
    this.stepCount = step
    const factor = this.schedule(step)
    this.groups.forEach((group, i) => {
      group.lr = this.initial[i] * factor
    })
  }
}
