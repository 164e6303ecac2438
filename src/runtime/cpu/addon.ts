import { toNamespacedPath } from 'node:path'
import { once } from '../../util/once.ts'
import { warn } from '../../util/warn.ts'
import { ABI, OTHER_VERSION, problemOf } from './addon-file.ts'
import { type AddonPlace, addonPlaces, type Origin, whyNone } from './addon-places.ts'

// The native addon, as native/addon.cc exports it. All threads of the process share one engine: its queue,
// settings, memory account and profile. Handles belong to the thread that created them.

declare const buffer: unique symbol
declare const program: unique symbol
/** Device memory. It is freed when the handle is disposed of or collected and no run uses it. */
export type BufferHandle = { readonly [buffer]: true }
/** A decoded program. It is freed like a buffer. */
export type ProgramHandle = { readonly [program]: true }

/**
 * Promises settle in the order of the calls, each in a separate turn of the event loop: code that awaits a
 * run continues before code that awaits a later read.
 */
export interface Addon {
  readonly abi: number
  /** Names of the kernels. The first word of a command is an index into this list. */
  readonly kernels: readonly string[]
  /** Names of the instructions of `elementwise` and `reduce`. Micro-programs contain indices into this list. */
  readonly microOps: readonly string[]
  /** Instruction sets that this processor supports, best first. */
  readonly isas: readonly string[]

  /** Changes the given settings for later runs, and returns all settings. Throws for an unknown instruction set. */
  configure(settings?: { isa?: string; threads?: number }): { isa: string; threads: number }

  /**
   * Allocates zero-filled memory, aligned to 64 bytes. Throws ERR_HEED_MEMORY if it exceeds the budget or the
   * system has no more.
   */
  allocate(bytes: number): BufferHandle
  /** Writes after earlier runs that use this buffer. `data` is copied during the call. */
  write(handle: BufferHandle, byteOffset: number, data: ArrayBufferView | ArrayBuffer): void
  /** Returns a copy of the memory after all earlier runs. */
  read(handle: BufferHandle, byteOffset: number, bytes: number): Promise<ArrayBuffer>
  /** Idempotent. Memory that a run uses is freed when the run ends. */
  dispose(handle: BufferHandle | ProgramHandle): void

  /** Decodes and checks the words (see kernels/cpp/program.h). Throws ERR_HEED_PROGRAM if they are invalid. */
  program(words: Float64Array): ProgramHandle
  /**
   * Queues a run after everything submitted earlier. Buffer 0 of the program is `arena`, or the arena shared by
   * all runs if it is null, with at least `arenaBytes`; its initial contents are undefined. Buffer 1 is a copy of
   * `scalars`; the others are `buffers`. Rejects with ERR_HEED_RUN and the index of the failed `command`, or with
   * ERR_HEED_MEMORY.
   */
  run(
    program: ProgramHandle,
    arenaBytes: number,
    arena: BufferHandle | null,
    scalars: ArrayBufferView | ArrayBuffer,
    buffers: readonly BufferHandle[],
  ): Promise<void>

  /** Bytes of buffers and programs (`live`), maximum of live + arena (`peak`), and the number of `buffers`. */
  memory(): { live: number; peak: number; arena: number; budget: number; buffers: number }
  resetPeak(): void
  /** Sets the limit of live + arena, in bytes. Default: the memory of the machine or the container. */
  setBudget(bytes: number): void

  /** Starts or stops recording the time of each command, for takeProfile. */
  profile(on: boolean): void
  /** Returns the records since the last call, in order: kernel index, microseconds and command index. */
  takeProfile(): { kernel: number[]; micros: number[]; command: number[] }
}

/** An addon with its path and origin; or the reason why there is none, and the remedy. */
export type LoadedAddon = (
  | { addon: Addon; path: string; origin: Origin }
  | { addon: null; reason: string; remedy: string }
) & {
  /** The files that were tried before, with their problems. */
  ignored: readonly { path: string; origin: Origin; problem: string; remedy: string }[]
}

/** Loads the first addon that works, in the order of `addonPlaces`. Files that do not work are reported once. */
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

/** Returns the addon, or the problem with the file. */
function openAddon({ path, record, problem }: AddonPlace): Addon | string {
  const wrong = problem ?? problemOf(path, record)
  if (wrong) return wrong
  try {
    const module: { exports: Partial<Addon> } = { exports: {} }
    // Like `require`, but for any file name extension.
    process.dlopen(module, toNamespacedPath(path))
    return module.exports.abi === ABI ? (module.exports as Addon) : OTHER_VERSION
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return `it cannot be loaded (${text.replace(/\s+/g, ' ').trim()})`
  }
}
