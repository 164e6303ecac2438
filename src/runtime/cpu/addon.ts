import { toNamespacedPath } from 'node:path'
import { once } from '../../util/once.ts'
import { warn } from '../../util/warn.ts'
import { ABI, OTHER_VERSION, problemOf } from './addon-file.ts'
import { type AddonPlace, addonPlaces, type Origin, whyNone } from './addon-places.ts'

// The native addon as native/addon.cc exports it. One engine serves all threads of the process: its queue,
// settings, memory account and profile are shared, its handles belong to the thread that made them.

declare const buffer: unique symbol
declare const program: unique symbol
/** Device memory; freed when disposed of or collected, and no run uses it any more. */
export type BufferHandle = { readonly [buffer]: true }
/** A decoded program, freed likewise. */
export type ProgramHandle = { readonly [program]: true }

/**
 * Promises settle in the order of the calls, each in a turn of its own: what awaits a run hears of its
 * end before what awaits a later read.
 */
export interface Addon {
  readonly abi: number
  /** Kernel names; a program's first word of a command is an index into them. */
  readonly kernels: readonly string[]
  /** Instructions of `elementwise` and `reduce`, likewise. */
  readonly microOps: readonly string[]
  /** Instruction sets that this processor supports, best first. */
  readonly isas: readonly string[]

  /** Sets what is given, for later runs; returns what is in force. Throws on an unknown instruction set. */
  configure(settings?: { isa?: string; threads?: number }): { isa: string; threads: number }

  /** Zero-filled and 64-byte aligned. Throws ERR_HEED_MEMORY when the budget or the system has no more. */
  allocate(bytes: number): BufferHandle
  /** Copies at once; lands after the runs that were submitted earlier with this buffer. */
  write(handle: BufferHandle, byteOffset: number, data: ArrayBufferView | ArrayBuffer): void
  /** A copy of the memory as the runs submitted so far leave it. */
  read(handle: BufferHandle, byteOffset: number, bytes: number): Promise<ArrayBuffer>
  /** Idempotent. Memory that a run uses is freed when the run ends. */
  dispose(handle: BufferHandle | ProgramHandle): void

  /** Decodes and checks the words (see kernels/cpp/program.h); throws ERR_HEED_PROGRAM on malformed ones. */
  program(words: Float64Array): ProgramHandle
  /**
   * Runs after everything submitted earlier. The program's buffer 0 is `arena`, or the one that all runs
   * share when null, of at least `arenaBytes`; its contents are undefined at first. Buffer 1 is a copy of
   * `scalars`; the rest are `buffers`. Rejects with ERR_HEED_RUN and the number of the `command` that failed,
   * or with ERR_HEED_MEMORY.
   */
  run(
    program: ProgramHandle,
    arenaBytes: number,
    arena: BufferHandle | null,
    scalars: ArrayBufferView | ArrayBuffer,
    buffers: readonly BufferHandle[],
  ): Promise<void>

  /** Bytes: `live` of buffers and programs, `peak` the most of live and arena together, `buffers` a count. */
  memory(): { live: number; peak: number; arena: number; budget: number; buffers: number }
  resetPeak(): void
  /** The most bytes of live and arena together; at first the memory of the machine or the container. */
  setBudget(bytes: number): void

  /** Whether runs record the time of each command, for takeProfile. */
  profile(on: boolean): void
  /** What was recorded since the last call: kernel index, microseconds and command number, in order. */
  takeProfile(): { kernel: number[]; micros: number[]; command: number[] }
}

/** An addon, where it lies and where it came from; or the reason why there is none, and the remedy. */
export type LoadedAddon = (
  | { addon: Addon; path: string; origin: Origin }
  | { addon: null; reason: string; remedy: string }
) & {
  /** What was tried before, with what is wrong with it. */
  ignored: readonly { path: string; origin: Origin; problem: string; remedy: string }[]
}

/** The first addon that works, in the order of `addonPlaces`. What lies there and does not work is reported once. */
export const loadAddon = once((): LoadedAddon => {
  const ignored: LoadedAddon['ignored'][number][] = []
  for (const place of addonPlaces()) {
    const { path, origin, remedy } = place
    const opened = openAddon(place)
    if (typeof opened !== 'string') {
      for (const other of ignored) warn(`${describe(other)}. ${other.remedy}`)
      return { addon: opened, path, origin, ignored }
    }
    ignored.push({ path, origin, remedy, problem: opened })
  }
  const last = ignored.at(-1)
  if (last === undefined) return { addon: null, ...whyNone(), ignored }
  for (const other of ignored.slice(0, -1)) warn(`${describe(other)}. ${other.remedy}`)
  return { addon: null, reason: describe(last), remedy: last.remedy, ignored }
})

const describe = ({ path, problem }: { path: string; problem: string }): string =>
  `the native addon ${path} is ignored: ${problem}`

/** The addon, or what is wrong with the file. */
function openAddon({ path, record, problem }: AddonPlace): Addon | string {
  const wrong = problem ?? problemOf(path, record)
  if (wrong) return wrong
  try {
    const module: { exports: Partial<Addon> } = { exports: {} }
    // As `require` does, whatever the ending of the file.
    process.dlopen(module, toNamespacedPath(path))
    return module.exports.abi === ABI ? (module.exports as Addon) : OTHER_VERSION
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return `it does not load (${text.replace(/\s+/g, ' ').trim()})`
  }
}
