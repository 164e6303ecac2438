import type { Schedule } from './schedules.ts'

/** Sets the learning rate of each group to the one it had, times the schedule's factor. */
export class LRScheduler {
  /** How often `step` has been called. */
  stepCount = 0
  private readonly groups: readonly { lr: number }[]
  private readonly initial: readonly number[]
  private readonly schedule: Schedule

  /** The schedule's factor at step 0 holds from here on. */
  constructor(optimizer: { groups: readonly { lr: number }[] }, schedule: Schedule) {
    this.groups = optimizer.groups
    this.initial = this.groups.map((group) => group.lr)
    this.schedule = schedule
    this.setStep(0)
  }

  /** To be called after each of the optimiser's steps. */
  step(): void {
    this.setStep(this.stepCount + 1)
  }

  /** Goes to a step, as when a run is resumed. */
  setStep(step: number): void {
    this.stepCount = step
    const factor = this.schedule(step)
    this.groups.forEach((group, i) => {
      group.lr = this.initial[i] * factor
    })
  }
}
