import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** Raised together with ABI in native/addon.cc. */
const ABI = 2

/** The addon, or null and the reason why there is none; the reason names the remedy. */
export function loadAddon(): { addon: Addon; reason: '' } | { addon: null; reason: string } {
  const path = addonPath(dirname(fileURLToPath(import.meta.url)))
  if (!path) return missing("heed's own folder was not found: bundlers must leave heed external")
  if (!existsSync(path)) return missing('the native addon is not built: run `npx heed build`')
  try {
    const addon = createRequire(import.meta.url)(path) as Addon
    if (addon.abi === ABI) return { addon, reason: '' }
    return missing('the native addon is of another version of heed: run `npx heed build`')
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return missing(`the native addon does not load (${message}): run \`npx heed build\``)
  }
}

function missing(reason: string): { addon: null; reason: string } {
  return { addon: null, reason }
}

// The package's folder is the first above that holds the addon's sources: the same from src/runtime/cpu
// and from a bundle in dist.
function addonPath(folder: string): string | null {
  if (existsSync(join(folder, 'native', 'addon.cc')))
    return join(folder, 'native', 'build', 'heed.node')
  return dirname(folder) === folder ? null : addonPath(dirname(folder))
}
