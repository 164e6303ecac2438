// The interface between devices and the rest of Heed. Each device is in a separate folder next to this file.
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { HostFunction, Memory } from '../graph/node.ts'
import type { Composite } from '../graph/ops.ts'
import type { Cost } from '../schedule/cost.ts'
import type { Lowered } from '../schedule/lower.ts'

/** The memory of one tensor on a device, at its newest version. */
export interface DeviceMemory extends Memory {
  /** The device that owns the memory. */
  readonly device: Device
  /** The dtype of the elements. */
  readonly dtype: DType
  /** Number of elements. */
  readonly count: number
  /** Purpose of the memory, for out-of-memory errors. */
  label: string
  /** The error of the run that should have filled this memory. Reading throws it. */
  failure: Error | null
}

/** The inputs and outputs of one run of a program. Each list is in the order of the lowered graph. */
export interface Bindings {
  /** Memory of the inputs. */
  leaves: DeviceMemory[]
  /** Values of the run-time numbers. */
  scalars: number[]
  /** Memory for the results. */
  outputs: DeviceMemory[]
  /** Functions that the program calls on the host. */
  hosts: HostFunction[]
}

/** A compiled program. It owns no working memory: each run borrows an arena from the device. */
export interface Executable {
  /** Size of the arena that a run borrows, in bytes. */
  readonly arenaBytes: number
  /** Size of the program itself, in bytes. It counts towards the budget of the program cache. */
  readonly bytes: number
  /** Number of kernel calls in a run, for inspection. */
  readonly kernels: number
  /** Queues a run after earlier ones and returns immediately. The promise resolves when the run has ended. */
  run(bindings: Bindings): Promise<void>
}

/** Memory and compiled programs: everything that Heed needs to compute on some hardware. */
export interface Device {
  /** The registered name, such as `cpu`, which runs record and messages print. */
  readonly name: string
  /** The composites that the device runs whole. All others are decomposed before `compile`. */
  readonly composites: ReadonlySet<Composite>
  /**
   * Allocates zeroed memory for `count` elements.
   * @throws OutOfMemoryError when the memory is not available; the message names the largest owners
   */
  allocate(dtype: DType, count: number, label: string): DeviceMemory
  /** Allocates memory with a copy of `data`. @throws OutOfMemoryError like `allocate` */
  upload(data: TypedArray, dtype: DType, label: string): DeviceMemory
  /** Overwrites memory from element `start` (default 0), after earlier runs. `data` is copied during the call. */
  write(memory: DeviceMemory, data: TypedArray, start?: number): void
  /** Returns a copy of the contents after all earlier runs. @throws the `failure` of the memory, if any */
  read(memory: DeviceMemory): Promise<TypedArray>
  /** Compiles a graph to a program. */
  compile(graph: Lowered): Executable
  /** Frees memory without waiting for the garbage collector. */
  dispose(memory: DeviceMemory): void
  /** Returns the current memory use. */
  memory(): MemoryUse
  /**
   * Starts recording kernel times. The returned function stops the recording and returns the times.
   * Absent on devices that do not time kernels.
   * @throws HeedError when a recording is already running
   */
  profile?(): () => KernelTime[]
}

/** The time of one kernel in one run. */
export interface KernelTime {
  /** Number of the run, counted from 0. */
  run: number
  /** Name of the kernel, such as `matmul`. */
  kernel: string
  /** Path of the module that the kernel belongs to (`h.3.attn.c_proj`); empty outside of modules. */
  scope: string
  /** Microseconds. */
  micros: number
  /** Operations and bytes of the call; null if they depend on run-time data. */
  cost: Cost | null
}

/** Memory use of a device, in bytes. */
export interface MemoryUse {
  /** Tensors and programs that are alive. */
  live: number
  /** The highest sum of `live` and `arena` so far. */
  peak: number
  /** Working memory of runs. */
  arena: number
  /** Upper limit for the sum of `live` and `arena`. */
  budget: number
}
