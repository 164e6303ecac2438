// A compiled program on the CPU: one command buffer, or several with host calls in between.
import { bytesOf, type DType, viewAs } from '../../graph/dtype.ts'
import type { Call, HostCall, KernelCall } from '../../schedule/kernel-call.ts'
import type { Operand, Schedule } from '../../schedule/schedule.ts'
import { ShapeError } from '../../util/errors.ts'
import type { Bindings, Executable } from '../device.ts'
import { invalidPlaces } from '../invalid-places.ts'
import type { BufferHandle, ProgramHandle } from './addon.ts'
import type { CpuDevice, CpuMemory } from './device.ts'
import { encode } from './encode.ts'

type Launch = { program: ProgramHandle; calls: KernelCall[] }
type Segment = Launch | { host: HostCall }

export class CpuExecutable implements Executable {
  readonly arenaBytes: number
  readonly peakBytes: number
  readonly bytes: number
  readonly kernels: number
  private readonly device: CpuDevice
  private readonly segments: Segment[]
  private readonly scalarTypes: DType[]
  private readonly literals: number[]

  constructor(device: CpuDevice, plan: Schedule, scalarTypes: DType[]) {
    this.device = device
    this.arenaBytes = plan.arenaBytes
    this.peakBytes = plan.peakBytes
    this.kernels = plan.calls.length
    this.scalarTypes = [...scalarTypes, ...plan.literals.map((x) => x.dtype)]
    this.literals = plan.literals.map((x) => x.value)
    let bytes = 0
    this.segments = segmentsOf(plan.calls).map((part) => {
      if (!Array.isArray(part)) return { host: part }
      const words = encode(part, plan.leaves, device.kernelNumbers, device.microNumbers)
      bytes += words.byteLength
      return { program: programOf(device, words), calls: part }
    })
    this.bytes = bytes * 2
  }

  run(bindings: Bindings): Promise<void> {
    const scalars = this.packScalars(bindings.scalars)
    const handles = [...bindings.leaves, ...bindings.outputs].map((m) => (m as CpuMemory).handle)
    const [only] = this.segments
    if (this.segments.length === 0) return this.device.enqueue(() => Promise.resolve())
    if (this.segments.length === 1 && 'program' in only)
      return this.device.enqueue(() => this.launch(only, null, scalars, handles))
    return this.device.enqueueHosted(() => this.runSegments(bindings, scalars, handles))
  }

  /** The arena must survive the host calls in between, so such a run allocates its own. */
  private async runSegments(
    bindings: Bindings,
    scalars: Uint8Array,
    handles: BufferHandle[],
  ): Promise<void> {
    const { addon } = this.device
    const arena = this.workingMemory()
    try {
      for (const segment of this.segments) {
        if ('program' in segment) await this.launch(segment, arena, scalars, handles)
        else await this.callHost(segment.host, bindings, arena)
      }
    } finally {
      addon.dispose(arena)
    }
  }

  private workingMemory(): BufferHandle {
    try {
      return this.device.addon.allocate(Math.max(64, this.arenaBytes))
    } catch (error) {
      throw this.device.explained(error, this.arenaBytes, ARENA)
    }
  }

  private launch(
    { program, calls }: Launch,
    arena: BufferHandle | null,
    scalars: Uint8Array,
    handles: BufferHandle[],
  ): Promise<void> {
    const fail = (error: unknown): never => {
      throw named(this.device.explained(error, this.arenaBytes, ARENA), calls)
    }
    try {
      const run = this.device.addon.run(program, this.arenaBytes, arena, scalars, handles)
      this.device.profiler?.launched(calls)
      return run.catch(fail)
    } catch (error) {
      return fail(error)
    }
  }

  private async callHost(call: HostCall, bindings: Bindings, arena: BufferHandle): Promise<void> {
    const { addon } = this.device
    const place = ({ buffer, dtype, offset }: Operand): { handle: BufferHandle; at: number } => {
      const base = buffer.kind === 'arena' ? buffer.offset : 0
      const at = base + offset * bytesOf(dtype)
      if (buffer.kind === 'arena') return { handle: arena, at }
      const list = buffer.kind === 'leaf' ? bindings.leaves : bindings.outputs
      return { handle: (list[buffer.index] as CpuMemory).handle, at }
    }
    const inputs = await Promise.all(
      call.inputs.values.map(async (operand) => {
        const { handle, at } = place(operand)
        const bytes = countOfOperand(operand) * bytesOf(operand.dtype)
        return viewAs(operand.dtype, await addon.read(handle, at, bytes))
      }),
    )
    const out = call.outputs.result
    const result = await bindings.hosts[call.attributes.host](inputs)
    if (result.length !== countOfOperand(out))
      throw new ShapeError(
        `The function of hostCall must return ${countOfOperand(out)} values, got ${result.length}`,
        { value: result.length, expected: `${countOfOperand(out)} values` },
      )
    const { handle, at } = place(out)
    const data = viewAs(out.dtype, new ArrayBuffer(result.length * bytesOf(out.dtype)))
    data.set(result)
    addon.write(handle, at, data)
  }

  /** Packs each number into four bytes, in the representation of its dtype. */
  private packScalars(values: readonly number[]): Uint8Array {
    const all = [...values, ...this.literals]
    const bytes = new ArrayBuffer(Math.max(4, all.length * 4))
    const floats = new Float32Array(bytes)
    const words = new Uint32Array(bytes)
    all.forEach((value, i) => {
      const dtype = this.scalarTypes[i]
      if (dtype === 'f32') floats[i] = value
      else if (dtype === 'bool') words[i] = value ? 1 : 0
      else words[i] = value
    })
    return new Uint8Array(bytes)
  }
}

/** The name of the arena in error messages. */
const ARENA = 'intermediate results'

function programOf(device: CpuDevice, words: Float64Array): ProgramHandle {
  try {
    return device.addon.program(words)
  } catch (error) {
    throw device.explained(error, words.byteLength, 'a compiled program')
  }
}

function segmentsOf(calls: readonly Call[]): (HostCall | KernelCall[])[] {
  const out: (HostCall | KernelCall[])[] = []
  for (const call of calls) {
    const last = out.at(-1)
    if (call.kernel === 'host') out.push(call)
    else if (Array.isArray(last)) last.push(call)
    else out.push([call])
  }
  return out
}

const countOfOperand = ({ shape }: Operand): number => shape.reduce((n, size) => n * size, 1)

/** Adds the path of the module to the error message of a kernel. */
function named(error: unknown, calls: KernelCall[]): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  const { code, command } = error as Error & { code?: string; command?: number }
  if (code !== 'ERR_HEED_RUN') return error
  const { kernel = '', scope = '' } = command === undefined ? {} : calls[command]
  return invalidPlaces(kernel, scope ? `${scope}: ${error.message}` : error.message)
}
