// What a device is to the rest of Heed. Each lives in a folder of its own beside this file.
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { HostFunction, Memory } from '../graph/node.ts'
import type { Composite } from '../graph/ops.ts'
import type { Cost } from '../schedule/cost.ts'
import type { Lowered } from '../schedule/lower.ts'

/** A piece of a device's memory: one tensor's, at its newest version. */
export interface DeviceMemory extends Memory {
  readonly device: Device
  readonly dtype: DType
  /** Elements, not bytes. */
  readonly count: number
  /** What it is for, as errors about memory name it. */
  label: string
  /** Set when the run that was to fill it failed: reading throws this. */
  failure: Error | null
}

/** What one run of a program reads and writes, each list in the order of the lowered graph. */
export interface Bindings {
  leaves: DeviceMemory[]
  scalars: number[]
  outputs: DeviceMemory[]
  hosts: HostFunction[]
}

/** A compiled program. It owns no working memory: each run borrows the device's. */
export interface Executable {
  /** Working memory that a run borrows. */
  readonly arenaBytes: number
  /** What the program itself takes, for the cache's budget. */
  readonly bytes: number
  /** Kernel calls of a run, for people who look. */
  readonly kernels: number
  /** Queues a run behind earlier ones and returns at once. */
  run(bindings: Bindings): Promise<void>
}

export interface Device {
  readonly name: string
  /** The composites that it runs whole; all others reach it decomposed. */
  readonly composites: ReadonlySet<Composite>
  /** Zeroed memory. @throws HeedError when it cannot be had, with how much was asked. */
  allocate(dtype: DType, count: number, label: string): DeviceMemory
  /** Memory with a copy of these contents. */
  upload(data: TypedArray, dtype: DType, label: string): DeviceMemory
  /** Overwrites memory from element `start` (0) on, behind earlier runs. The data is copied at once. */
  write(memory: DeviceMemory, data: TypedArray, start?: number): void
  /** A copy of the contents, once all runs before this call have ended. */
  read(memory: DeviceMemory): Promise<TypedArray>
  compile(graph: Lowered): Executable
  /** Gives memory back before the garbage collector would. */
  dispose(memory: DeviceMemory): void
  memory(): MemoryUse
  /**
   * Records the time of each kernel from now on, until what it returns is called. Absent where
   * kernels are not timed. @throws HeedError when a recording is under way.
   */
  profile?(): () => KernelTime[]
}

/** One kernel of one run. */
export interface KernelTime {
  /** Runs of programs, counted from 0. */
  run: number
  kernel: string
  /** The path of the module that asked for it (`h.3.attn.c_proj`), empty outside of modules. */
  scope: string
  /** Microseconds. */
  micros: number
  /** Null where it depends on run-time data. */
  cost: Cost | null
}

/** Bytes. */
export interface MemoryUse {
  live: number
  peak: number
  arena: number
  budget: number
}
