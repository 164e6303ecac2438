import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'

/** A function from the number of a step, counted from 0, to a factor of the learning rate. */
export type Schedule = (step: number) => number

/** Options of schedules with a linear warm-up. */
export interface WarmUp {
  /** Number of warm-up steps, in which the factor rises from 0 to 1. Default 0. */
  warmup?: number
}

/** Options of schedules that decay to a final factor. */
export interface Decay extends WarmUp {
  /** Total number of steps, including the warm-up. */
  steps: number
  /** Final factor. Default 0. */
  end?: number
}

/** Constant factor 1 after the warm-up. */
export function constant(options: WarmUp = {}): Schedule {
  WARM_UP.check('constant', options)
  return warmed(options.warmup ?? 0, () => 1)
}

/** Linear decay to `end` after the warm-up. */
export function linear(options: Decay): Schedule {
  DECAY.check('linear', options)
  const { warmup = 0, steps, end = 0 } = options
  checkSteps(warmup, steps)
  return warmed(warmup, (step) => 1 + (end - 1) * progress(step, warmup, steps))
}

/** Cosine decay to `end` after the warm-up (Loshchilov and Hutter, 2017). */
export function cosine(options: Decay): Schedule {
  DECAY.check('cosine', options)
  const { warmup = 0, steps, end = 0 } = options
  checkSteps(warmup, steps)
  return warmed(warmup, (step) => {
    const height = 0.5 * (1 + Math.cos(Math.PI * progress(step, warmup, steps)))
    return end + (1 - end) * height
  })
}

/** Inverse square root decay, √(timescale / step), scaled to start at 1 after the warm-up (Vaswani et al., 2017). */
export function inverseSqrt(options: WarmUp & { timescale?: number } = {}): Schedule {
  INVERSE_SQRT.check('inverseSqrt', options)
  const { warmup = 0, timescale = warmup || 10_000 } = options
  return warmed(warmup, (step) => Math.sqrt(timescale / (step - warmup + timescale)))
}

const WARM_UP = optionKinds<WarmUp>({ warmup: 'number?' })
const DECAY = optionKinds<Decay>({ warmup: 'number?', steps: 'number', end: 'number?' })
const INVERSE_SQRT = optionKinds<WarmUp & { timescale?: number }>({
  warmup: 'number?',
  timescale: 'number?',
})

/** All schedules by name. */
export const schedules = { constant, linear, cosine, 'inverse-sqrt': inverseSqrt }

/**
 * Name of a schedule.
 * @useDeclaredType
 */
export type ScheduleName = keyof typeof schedules

function warmed(warmup: number, after: Schedule): Schedule {
  if (!Number.isFinite(warmup) || warmup < 0)
    throw invalidOption({ key: 'warmup', value: warmup, expected: 'a number of steps >= 0' })
  return (step) => (step < warmup ? step / warmup : after(step))
}

/** 0 at the end of the warm-up, 1 from the last step on. */
const progress = (step: number, warmup: number, steps: number): number =>
  Math.min(1, (step - warmup) / Math.max(1, steps - warmup))

function checkSteps(warmup: number, steps: number): void {
  if (!(steps > 0)) throw invalidOption({ key: 'steps', value: steps, expected: 'a number > 0' })
  if (warmup > steps)
    throw invalidOption({
      key: 'warmup',
      value: warmup,
      expected: `at most \`steps\` (${steps})`,
    })
}
