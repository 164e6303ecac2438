import { HeedError } from '../../util/errors.ts'
import type { Value } from './objects.ts'

// Templates come with models, so they may be hostile. Jinja has no endless loops, but nested loops, recursive macros
// and texts that double have the same effect. Rendering is synchronous, so one budget is active at a time.

const MAX_SECONDS = 1
const MAX_BYTES = 64 * 2 ** 20

const STEPS_PER_CHECK = 4096
const FEWEST_STEPS = 200_000 // a few hundredths of a second: if they take longer, the machine is busy

/** Something that keeps values alive, such as a scope. */
export interface Holder {
  contents(): Iterable<Value>
}

class Budget {
  private readonly started = performance.now()
  private readonly startedCpu = cpuSeconds()
  private steps = 0
  private nextCheck = STEPS_PER_CHECK
  /** Upper bound of the bytes in use: those alive at the last measurement, and all made since. */
  private charged = 0
  /** `charged` when the current statement began: its intermediate values came after that. */
  private start = 0
  /** Bytes of intermediate values of the statements that called this one. */
  private base = 0
  private readonly held: (Value | Holder)[] = []

  spend(steps: number): void {
    this.steps += steps
    if (this.steps < this.nextCheck) return
    this.nextCheck = this.steps + STEPS_PER_CHECK
    if (this.steps > FEWEST_STEPS && this.seconds() > MAX_SECONDS)
      throw tooLarge('time', `at most ${MAX_SECONDS} s`)
  }

  /** Of this thread, no more than have passed and no more than the process has computed. */
  private seconds(): number {
    const passed = (performance.now() - this.started) / 1000
    if (passed <= MAX_SECONDS || this.startedCpu === undefined) return passed
    return Math.min(passed, (cpuSeconds() ?? passed) - this.startedCpu)
  }

  allocate(bytes: number): void {
    this.charged += bytes
    if (this.charged > MAX_BYTES) this.measure()
  }

  beginStatement(): void {
    this.start = this.charged
  }

  /** Runs the body of a macro, during which the values of the calling statement stay alive. */
  nested<T>(holder: Holder, body: () => T): T {
    const { base } = this
    const inFlight = this.charged - this.start
    this.base += inFlight
    const result = this.holding(holder, body)
    this.base = base
    this.start = this.charged - inFlight
    return result
  }

  holding<T>(value: Value | Holder, body: () => T): T {
    this.held.push(value)
    const result = body()
    this.held.pop()
    return result
  }

  /** Replaces the upper bound by the bytes that are reachable. */
  private measure(): void {
    const inFlight = this.charged - this.start
    const alive = this.base + inFlight + this.reachable()
    if (alive > MAX_BYTES) throw tooLarge('memory', `at most ${MAX_BYTES >> 20} MB`)
    this.charged = alive
    this.start = alive - inFlight
  }

  private reachable(): number {
    const seenBefore = new Set<object>()
    const open: (Value | Holder)[] = [...this.held]
    let bytes = 0
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      this.spend(1)
      if (typeof value === 'string') bytes += bytesOf(value)
      if (typeof value !== 'object' || value === null || seenBefore.has(value)) continue
      seenBefore.add(value)
      const contents = Array.isArray(value) ? value : value.contents()
      bytes += OBJECT_BYTES
      for (const item of contents) {
        bytes += ITEM_BYTES
        if (typeof item === 'string' || typeof item === 'object') open.push(item)
      }
    }
    return bytes
  }
}

const OBJECT_BYTES = 64
const ITEM_BYTES = 16

function tooLarge(resource: string, expected: string): HeedError {
  return new HeedError(
    'unsupported',
    `A chat template must take ${expected}, got more ${resource}`,
    {
      key: 'chat_template',
      expected,
      remedy: 'Pass fewer messages, or a simpler template as `chatTemplate`.',
    },
  )
}

/** What the process has computed; undefined in browsers. */
function cpuSeconds(): number | undefined {
  const usage = globalThis.process?.cpuUsage?.()
  return usage && (usage.user + usage.system) / 1e6
}

let budget = new Budget()

/** Runs a rendering within a budget of its own. */
export function withinLimits<T>(work: () => T): T {
  budget = new Budget()
  try {
    return work()
  } finally {
    budget = new Budget() // lets go of the values
  }
}

/** Counts work; about a tenth of a microsecond each. */
export const spend = (steps: number): void => budget.spend(steps)
export const beginStatement = (): void => budget.beginStatement()
export const nested = <T>(holder: Holder, body: () => T): T => budget.nested(holder, body)
export const holding = <T>(value: Value | Holder, body: () => T): T => budget.holding(value, body)

/** Counts reading or copying a text of this length, before it is done. */
export const spendText = (length: number): void => budget.spend(length / CHARACTERS_PER_STEP)

/** Counts a new text of this length, before it is made. */
export function allocateText(length: number): void {
  budget.spend(length / CHARACTERS_PER_STEP)
  budget.allocate(length * 2)
}

/** Counts a new list of this length, before it is made. */
export function allocateList(length: number): void {
  budget.spend(length / 4)
  budget.allocate(length * ITEM_BYTES + OBJECT_BYTES)
}

const CHARACTERS_PER_STEP = 64
const bytesOf = (text: string): number => text.length * 2

/** A list of all values, which is alive while they are made. */
export function collect(values: Iterable<Value>): Value[] {
  const list: Value[] = []
  for (const value of values) {
    budget.spend(1)
    budget.allocate(ITEM_BYTES)
    list.push(value)
  }
  return list
}
