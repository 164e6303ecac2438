// The CPU device: the native addon runs the kernels of kernels/cpp on its own threads. The wasm device is
// this class too, with an addon that has the same interface over WebAssembly.
import { bytesOf, type DType, type TypedArray, viewAs } from '../../graph/dtype.ts'
import type { Composite } from '../../graph/ops.ts'
import { schedule } from '../../schedule/emit.ts'
import type { KernelComposite } from '../../schedule/kernels.ts'
import type { Lowered } from '../../schedule/lower.ts'
import type { Limits } from '../../schedule/schedule.ts'
import { HeedError, invalidOption, OutOfMemoryError } from '../../util/errors.ts'
import { formatBytes } from '../../util/format.ts'
import { memorySetting, setting, threadsSetting } from '../../util/settings.ts'
import type { Device, DeviceMemory, KernelTime, MemoryUse } from '../device.ts'
import { LargestOwners } from '../owners.ts'
import { type Addon, type BufferHandle, loadAddon } from './addon.ts'
import { CpuExecutable } from './executable.ts'
import { Profiler } from './profiler.ts'

const limits: Limits = { alignment: 64, inputs: 32, steps: 64 }

/** Options of `CpuDevice`. */
export interface CpuOptions {
  /** Instruction set: 'avx512', 'avx2' or 'baseline' on x86-64. Default: HEED_ISA, or the best of the processor. */
  isa?: string
  /** Number of threads. Default: HEED_THREADS, or the number of cores that the process may use. */
  threads?: number
}

export class CpuMemory implements DeviceMemory {
  readonly device: CpuDevice
  readonly handle: BufferHandle
  readonly dtype: DType
  readonly count: number
  label: string
  version = 0
  failure: Error | null = null

  constructor(device: CpuDevice, handle: BufferHandle, dtype: DType, count: number, label: string) {
    this.device = device
    this.handle = handle
    this.dtype = dtype
    this.count = count
    this.label = label
  }
}

/** Computes on the CPU with the native addon. `device('cpu')` returns one; create your own to set options. */
export class CpuDevice implements Device {
  /** The name for `device()`: `cpu`. */
  readonly name: string = 'cpu'
  readonly composites: ReadonlySet<Composite> = new Set<KernelComposite>([
    'gelu',
    'geluBackward',
    'silu',
    'siluBackward',
    'softmax',
    'softmaxBackward',
    'logSoftmax',
    'logSoftmaxBackward',
    'layerNorm',
    'layerNormBackward',
    'rmsNorm',
    'rmsNormBackward',
    'channelNorm',
    'channelNormBackward',
    'crossEntropy',
    'crossEntropyBackward',
    'attention',
    'attentionBackward',
    'adamw',
    'convolution',
    'convolutionInput',
    'convolutionWeight',
    'maxPool',
    'maxPoolBackward',
    'matmulQuantized',
    'matmulQuantizedInput',
  ])
  /** Instruction set of the kernels in use, such as `avx2`. */
  readonly isa: string
  /** Number of threads that compute kernels. */
  readonly threads: number
  /** @hidden */
  readonly addon: Addon
  /** @hidden */
  readonly kernelNumbers: ReadonlyMap<string, number>
  /** @hidden */
  readonly microNumbers: ReadonlyMap<string, number>
  private readonly owners = new LargestOwners()
  /** The current run with host calls. Later runs wait for it. */
  private hosted: Promise<void> | null = null
  /**
   * The current recording of kernel times. Each run is reported to it.
   * @hidden
   */
  profiler: Profiler | null = null

  /** @throws HeedError when the addon is missing, with the command that builds it. */
  constructor(options: CpuOptions = {}, addon = nativeAddon()) {
    this.addon = addon
    const { isa, threads } = configure(addon, options)
    this.isa = isa
    this.threads = threads
    this.kernelNumbers = new Map(addon.kernels.map((name, i) => [name, i]))
    this.microNumbers = new Map(addon.microOps.map((name, i) => [name, i]))
    const budget = memorySetting()
    if (budget !== undefined) addon.setBudget(budget)
  }

  allocate(dtype: DType, count: number, label: string): CpuMemory {
    const bytes = count * bytesOf(dtype)
    try {
      const memory = new CpuMemory(this, this.addon.allocate(bytes), dtype, count, label)
      this.owners.add(memory, bytes)
      return memory
    } catch (error) {
      throw this.explained(error, bytes, label)
    }
  }

  upload(data: TypedArray, dtype: DType, label: string): CpuMemory {
    const memory = this.allocate(dtype, data.length, label)
    this.write(memory, data)
    return memory
  }

  write(memory: DeviceMemory, data: TypedArray, start = 0): void {
    const { handle, dtype } = memory as CpuMemory
    const at = start * bytesOf(dtype)
    if (this.hosted) {
      const copy = data.slice()
      void this.enqueue(() => Promise.resolve(this.addon.write(handle, at, asStored(copy, dtype))))
    } else this.addon.write(handle, at, asStored(data, dtype))
  }

  async read(memory: DeviceMemory): Promise<TypedArray> {
    const { handle, dtype, count } = memory as CpuMemory
    if (this.hosted) await this.hosted.catch(() => {})
    const bytes = await this.addon.read(handle, 0, count * bytesOf(dtype))
    if (memory.failure) throw memory.failure
    return viewAs(dtype, bytes)
  }

  compile(graph: Lowered): CpuExecutable {
    const types = graph.scalars.map((node) => node.dtype)
    return new CpuExecutable(this, schedule(graph, limits), types)
  }

  dispose(memory: DeviceMemory): void {
    this.addon.dispose((memory as CpuMemory).handle)
  }

  memory(): MemoryUse {
    const { live, peak, arena, budget } = this.addon.memory()
    return { live, peak, arena, budget }
  }

  profile(): () => KernelTime[] {
    if (this.profiler)
      throw new HeedError('invalid-state', 'A profile is already running', {
        remedy: 'Stop it before you start another.',
      })
    const profiler = new Profiler(this.addon)
    this.profiler = profiler
    return () => {
      this.profiler = null
      return profiler.stop()
    }
  }

  /** Starts a run. If a run with host calls is in progress, it starts after that. */
  enqueue(start: () => Promise<void>): Promise<void> {
    if (!this.hosted) return start()
    return this.hosted.catch(() => {}).then(start)
  }

  /** Starts a run with host calls, whose later parts are queued only after JavaScript functions return. */
  enqueueHosted(run: () => Promise<void>): Promise<void> {
    const before = this.hosted ?? Promise.resolve()
    const mine = before.catch(() => {}).then(run)
    this.hosted = mine
    const done = (): void => {
      if (this.hosted === mine) this.hosted = null
    }
    mine.then(done, done)
    return mine
  }

  /** Converts an allocation error of the addon to an OutOfMemoryError; returns other errors unchanged. */
  explained(error: unknown, bytes: number, label: string): unknown {
    const { code } = error as { code?: string }
    return code === 'ERR_HEED_MEMORY' ? this.outOfMemory(bytes, label) : error
  }

  private outOfMemory(bytes: number, label: string): OutOfMemoryError {
    const { live, arena, budget } = this.addon.memory()
    return new OutOfMemoryError(
      `${formatBytes(bytes)} for ${label} do not fit: ${formatBytes(live + arena)} of ${formatBytes(budget)} are in use, ${this.owners.describe()}`,
      {
        remedy:
          'Make the batch, the context or the model smaller, or set HEED_MEMORY to a larger number of bytes.',
      },
    )
  }
}

function nativeAddon(): Addon {
  const loaded = loadAddon()
  if (loaded.addon) return loaded.addon
  const { reason, remedy } = loaded
  throw new HeedError('unsupported', `The cpu device is not available: ${reason}`, { remedy })
}

function configure(addon: Addon, options: CpuOptions): { isa: string; threads: number } {
  const isa = options.isa ?? setting('HEED_ISA')
  const threads = options.threads ?? threadsSetting()
  const key = options.isa === undefined ? 'HEED_ISA' : 'isa'
  if (isa !== undefined && !addon.isas.includes(isa))
    throw invalidOption({
      key,
      value: isa,
      expected: `an instruction set of this processor and build (${addon.isas.join(', ')})`,
      try: { [key]: addon.isas },
    })
  return addon.configure({ isa, threads })
}

/** Converts doubles to floats, because f32 is stored in 4 bytes. */
function asStored(data: TypedArray, dtype: DType): TypedArray {
  return dtype === 'f32' && data instanceof Float64Array ? Float32Array.from(data) : data
}
