// The reference device: plain TypeScript, one readable function for each operation. The other devices are
// tested against it, and it computes where no faster device works.
import { totalmem } from 'node:os'
import { arrayOf, bytesOf, type DType, type TypedArray } from '../../graph/dtype.ts'
import type { Form } from '../../graph/node.ts'
import type { Composite } from '../../graph/ops.ts'
import { countOf } from '../../graph/shape.ts'
import type { Lowered } from '../../schedule/lower.ts'
import { OutOfMemoryError } from '../../util/errors.ts'
import { formatBytes } from '../../util/format.ts'
import { memorySetting } from '../../util/settings.ts'
import type { Device, DeviceMemory, MemoryUse } from '../device.ts'
import { LargestOwners } from '../owners.ts'
import { ReferenceExecutable } from './executable.ts'

/** Options of `ReferenceDevice`. */
export interface ReferenceOptions {
  /** Precision in which f32 tensors are stored (default 'float32'). With 'float64', reading returns doubles. */
  precision?: 'float32' | 'float64'
  /** Limit for all tensors together, in bytes. Default: HEED_MEMORY, or the memory of the machine. */
  budget?: number
}

export class ReferenceMemory implements DeviceMemory {
  readonly device: ReferenceDevice
  readonly dtype: DType
  readonly count: number
  /** The array is never modified, so that views can share it: a run replaces it by a new one. */
  data: TypedArray
  label: string
  version = 0
  failure: Error | null = null

  constructor(device: ReferenceDevice, dtype: DType, data: TypedArray, label: string) {
    this.device = device
    this.dtype = dtype
    this.data = data
    this.count = data.length
    this.label = label
  }
}

/** Computes in plain TypeScript: slow, but readable, and on request in double precision. For tests and debugging. */
export class ReferenceDevice implements Device {
  /** The name for `device()`: `reference`. */
  readonly name: string = 'reference'
  readonly composites: ReadonlySet<Composite> = new Set<Composite>()
  private readonly double: boolean
  private readonly budget: number
  private readonly owners = new LargestOwners()
  private peak = 0
  /** The current run with host calls. Later runs wait for it. */
  private hosted: Promise<void> | null = null

  /** Creates a device with its own memory limit. @throws HeedError for a limit in HEED_MEMORY that is not a size */
  constructor({ precision = 'float32', budget }: ReferenceOptions = {}) {
    this.double = precision === 'float64'
    this.budget = budget ?? memorySetting() ?? totalmem()
  }

  /** An array of zeros for a value of this shape and dtype. */
  empty({ shape, dtype }: Form): TypedArray {
    return this.array(dtype, countOf(shape))
  }

  allocate(dtype: DType, count: number, label: string): ReferenceMemory {
    const bytes = count * (dtype === 'f32' && this.double ? 8 : bytesOf(dtype))
    const { live } = this.memory()
    if (live + bytes > this.budget)
      throw new OutOfMemoryError(
        `${formatBytes(bytes)} for ${label} do not fit: ${formatBytes(live)} of ${formatBytes(this.budget)} are in use, ${this.owners.describe()}`,
        {
          remedy:
            'Make the batch, the context or the model smaller, or set HEED_MEMORY to a larger number of bytes.',
        },
      )
    const memory = new ReferenceMemory(this, dtype, this.array(dtype, count), label)
    this.owners.add(memory, bytes)
    this.peak = Math.max(this.peak, live + bytes)
    return memory
  }

  upload(data: TypedArray, dtype: DType, label: string): ReferenceMemory {
    const memory = this.allocate(dtype, data.length, label)
    memory.data.set(data)
    return memory
  }

  write(memory: DeviceMemory, data: TypedArray, start = 0): void {
    const target = memory as ReferenceMemory
    const copy = data.slice()
    void this.enqueue(false, () => {
      const next = target.data.slice()
      next.set(copy, start)
      target.data = next
    })
  }

  async read(memory: DeviceMemory): Promise<TypedArray> {
    await this.hosted?.catch(() => {})
    if (memory.failure) throw memory.failure
    return (memory as ReferenceMemory).data.slice()
  }

  compile(graph: Lowered): ReferenceExecutable {
    return new ReferenceExecutable(this, graph)
  }

  /** Does nothing: the garbage collector frees the arrays. */
  dispose(_memory: DeviceMemory): void {}

  memory(): MemoryUse {
    return { live: this.owners.total, peak: this.peak, arena: 0, budget: this.budget }
  }

  /** Runs immediately. If a run with host calls is in progress, it starts after that. */
  enqueue(hosted: boolean, work: () => void | Promise<void>): Promise<void> {
    const run = this.hosted ? this.hosted.catch(() => {}).then(work) : started(work)
    if (!hosted) return run
    this.hosted = run
    const done = (): void => {
      if (this.hosted === run) this.hosted = null
    }
    run.then(done, done)
    return run
  }

  private array(dtype: DType, count: number): TypedArray {
    return dtype === 'f32' && this.double ? new Float64Array(count) : arrayOf(dtype, count)
  }
}

/** Calls `work` synchronously and returns its result or error as a promise. */
function started(work: () => void | Promise<void>): Promise<void> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error)
  }
}
