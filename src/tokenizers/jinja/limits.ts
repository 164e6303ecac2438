import { HeedError } from '../../util/errors.ts'
import type { Value } from './objects.ts'

// Templates are distributed with models, so they are untrusted. Jinja has no infinite loops, but nested loops,
// recursive macros and strings that double have the same effect. Rendering is synchronous, so one budget is active at a
// time.

const MAX_SECONDS = 1
const MAX_BYTES = 64 * 2 ** 20

const STEPS_PER_CHECK = 4096
const FEWEST_STEPS = 200_000 // usually a few hundredths of a second; if they take longer, the machine is busy

/** An object that keeps values alive, such as a scope. */
export interface Holder {
  contents(): Iterable<Value>
}

class Budget {
  private readonly started = performance.now()
  private readonly startedCpu = cpuSeconds()
  private steps = 0
  private nextCheck = STEPS_PER_CHECK
  /** Upper bound of the bytes in use: bytes alive at the last measurement plus all allocated since. */
  private charged = 0
  /** `charged` at the start of the current statement. Its intermediate values were allocated later. */
  private start = 0
  /** Bytes of intermediate values of the calling statements. */
  private base = 0
  private readonly held: (Value | Holder)[] = []

  spend(steps: number): void {
    this.steps += steps
    if (this.steps < this.nextCheck) return
    this.nextCheck = this.steps + STEPS_PER_CHECK
    if (this.steps > FEWEST_STEPS && this.seconds() > MAX_SECONDS)
      throw tooLarge('time', `at most ${MAX_SECONDS} s`)
  }

  /** Upper bound of the time of this thread: the smaller of elapsed time and CPU time of the process. */
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

  /** Runs the body of a macro. The intermediate values of the calling statement remain alive. */
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

  /** Replaces the upper bound by the number of reachable bytes. */
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

/** CPU time of the process in seconds; undefined in browsers. */
function cpuSeconds(): number | undefined {
  const usage = globalThis.process?.cpuUsage?.()
  return usage && (usage.user + usage.system) / 1e6
}

let budget = new Budget()

/** Runs a rendering with a new budget. */
export function withinLimits<T>(work: () => T): T {
  budget = new Budget()
  try {
    return work()
  } finally {
    budget = new Budget() // release the values
  }
}

/** Counts steps of work, of about 0.1 microseconds each. */
export const spend = (steps: number): void => budget.spend(steps)
export const beginStatement = (): void => budget.beginStatement()
export const nested = <T>(holder: Holder, body: () => T): T => budget.nested(holder, body)
export const holding = <T>(value: Value | Holder, body: () => T): T => budget.holding(value, body)

/** Charges for reading or copying a text of this length, in advance. */
export const spendText = (length: number): void => budget.spend(length / CHARACTERS_PER_STEP)

/** Charges for a new text of this length, in advance. */
export function allocateText(length: number): void {
  budget.spend(length / CHARACTERS_PER_STEP)
  budget.allocate(length * 2)
}

/** Charges for a new list of this length, in advance. */
export function allocateList(length: number): void {
  budget.spend(length / 4)
  budget.allocate(length * ITEM_BYTES + OBJECT_BYTES)
}

const CHARACTERS_PER_STEP = 64
const bytesOf = (text: string): number => text.length * 2

/** Collects values to a list, which is counted as alive meanwhile. */
export function collect(values: Iterable<Value>): Value[] {
  const list: Value[] = []
  for (const value of values) {
    budget.spend(1)
    budget.allocate(ITEM_BYTES)
    list.push(value)
  }
  return list
}
