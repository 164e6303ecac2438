// The interface of the native addon over WebAssembly: handles, the queue of jobs, and memory accounting.
// The computation itself is in native/wasm and kernels/cpp.
import type { Addon, BufferHandle, ProgramHandle } from '../cpu/addon.ts'
import { availableCores, machineMemory } from './host.ts'
import { type Job, type Kernels, type Reply, textAt } from './instance.js'
import type { Loaded, WasmIsa } from './load.ts'
import { InlineRunner, type Runner, ThreadRunner } from './runner.ts'
import { bytesOfView, failWith, wholeNumber } from './values.ts'

/** WebAssembly memory that a handle refers to. It is freed when no job uses it. */
interface Resource {
  kind: 'a buffer' | 'a program'
  at: number
  bytes: number
  /** Number of the last submitted job that uses it. */
  lastUse: number
  released: boolean
  /** For a program: the bytes that it needs in each buffer. */
  extents: number[]
}

class Handle {
  resource: Resource | null
  /**
   * Makes the garbage collector aware of the size: it counts only JavaScript's own buffers, so without this
   * one, a loop that drops tensors would fill the memory before a collection. The buffer is never accessed, so
   * it takes address space but no memory.
   */
  ballast: ArrayBuffer | null = null

  constructor(resource: Resource) {
    this.resource = resource
  }
}

const HEAVY = 1 << 20
/** Words at the start of a job: program, threads, arena bytes, arena limit (`struct Job` in native/wasm/module.cc). */
const JOB_HEAD = 4

type Waiting = { resolve: (value: never) => void; reject: (error: Error) => void }

export class WasmAddon implements Addon {
  readonly abi = 2
  readonly kernels: readonly string[]
  readonly microOps: readonly string[]
  readonly isas: readonly string[]
  private readonly exports: Kernels
  private readonly wasmMemory: WebAssembly.Memory
  private readonly runner: Runner
  private readonly isa: string
  private threads: number
  private readonly use = { live: 0, peak: 0, arena: 0, budget: 0, buffers: 0 }
  private lastSubmitted = 0
  private lastDone = 0
  private readonly waiting = new Map<number, Waiting>()
  /** For each run: the address of its job, which is freed at the end, and its kernels, for profiles. */
  private readonly runs = new Map<number, { at: number; kernels: number[] }>()
  private retired: Resource[] = []
  private crashed = ''
  private profiling = false
  private profiled: ReturnType<Addon['takeProfile']> = { kernel: [], micros: [], command: [] }
  private readonly registry = new FinalizationRegistry<Resource>((it) => this.release(it))

  constructor({ kernels, setup, most, threaded }: Loaded, isa: WasmIsa) {
    this.exports = kernels
    this.wasmMemory = setup.memory
    this.isa = isa
    this.isas = [isa]
    this.threads = threaded ? availableCores() : 1
    this.kernels = this.texts((i) => kernels.kernelName(i))
    this.microOps = this.texts((i) => kernels.microOpName(i))
    this.use.budget = Math.min(most, machineMemory())
    const listener = {
      onReply: (reply: Reply) => this.settle(reply),
      onCrash: (reason: string) => this.crash(reason),
    }
    this.runner = new (threaded ? ThreadRunner : InlineRunner)(kernels, setup, listener)
  }

  configure({ isa, threads }: { isa?: string; threads?: number } = {}): {
    isa: string
    threads: number
  } {
    if (isa !== undefined && isa !== this.isa)
      throw failWith('RANGE', `this build has no instruction set '${isa}'`)
    if (threads !== undefined) {
      wholeNumber(threads, 'threads')
      if (threads === 0) throw failWith('RANGE', 'threads must be at least 1')
      this.threads = threads
    }
    return { isa: this.isa, threads: this.threads }
  }

  // ---- buffers

  allocate(bytes: number): BufferHandle {
    wholeNumber(bytes, 'bytes')
    const at = this.fits(bytes) ? this.exports.allocate(bytes) >>> 0 : 0
    if (at === 0) throw this.outOfMemory('a buffer', bytes)
    this.use.buffers++
    return this.handle<BufferHandle>({ kind: 'a buffer', at, bytes, extents: [] })
  }

  write(handle: BufferHandle, byteOffset: number, data: ArrayBufferView | ArrayBuffer): void {
    const buffer = this.resource(handle, 'a buffer', 'the buffer')
    wholeNumber(byteOffset, 'the offset')
    const bytes = bytesOfView(data, 'the data')
    checkInside(buffer, byteOffset, bytes.length)
    if (bytes.length === 0) return
    const at = buffer.at + byteOffset
    if (buffer.lastUse > this.lastDone)
      this.submit({ number: this.next([buffer]), kind: 'write', at, bytes: bytes.slice() })
    else new Uint8Array(this.wasmMemory.buffer, at, bytes.length).set(bytes)
  }

  read(handle: BufferHandle, byteOffset: number, bytes: number): Promise<ArrayBuffer> {
    const buffer = this.resource(handle, 'a buffer', 'the buffer')
    wholeNumber(byteOffset, 'the offset')
    wholeNumber(bytes, 'the number of bytes')
    checkInside(buffer, byteOffset, bytes)
    const at = buffer.at + byteOffset
    return this.promise({ number: this.next([buffer]), kind: 'read', at, count: bytes })
  }

  dispose(handle: BufferHandle | ProgramHandle): void {
    const known = this.known(handle, 'the handle')
    if (known.resource) this.release(known.resource)
    known.resource = null
    known.ballast = null
    this.registry.unregister(known)
  }

  // ---- programs

  program(words: Float64Array): ProgramHandle {
    if (!(words instanceof Float64Array))
      throw failWith('ARGUMENT', 'the program must be a Float64Array')
    // A decoded view takes at most five times the size of the words that describe it.
    const room = 5 * words.byteLength
    const copy = this.fits(room) ? this.exports.allocate(words.byteLength) >>> 0 : 0
    if (copy === 0) throw this.outOfMemory('a program', room)
    new Float64Array(this.wasmMemory.buffer, copy, words.length).set(words)
    const at = this.exports.decode(copy, words.length) >>> 0
    this.exports.release(copy)
    if (at === 0) {
      const why = textAt(this.wasmMemory, this.exports.malformed())
      throw failWith('PROGRAM', `malformed program: ${why}`)
    }
    const bytes = this.exports.bytesOf(at) >>> 0
    const extents: number[] = []
    for (let e = 0; (e = this.exports.extentOf(at, extents.length)) >= 0; ) extents.push(e)
    return this.handle<ProgramHandle>({ kind: 'a program', at, bytes, extents })
  }

  run(
    program: ProgramHandle,
    arenaBytes: number,
    arena: BufferHandle | null,
    scalars: ArrayBufferView | ArrayBuffer,
    buffers: readonly BufferHandle[],
  ): Promise<void> {
    const code = this.resource(program, 'a program', 'the program')
    wholeNumber(arenaBytes, 'arenaBytes')
    const own = arena ? this.resource(arena, 'a buffer', 'the arena') : null
    if (own && arenaBytes > own.bytes)
      throw failWith('RANGE', 'the arena is smaller than arenaBytes')
    const numbers = bytesOfView(scalars, 'the scalars')
    if (!Array.isArray(buffers)) throw failWith('ARGUMENT', 'buffers must be an array of handles')
    const used = buffers.map((buffer) => this.resource(buffer, 'a buffer', 'a buffer'))
    checkExtents(code.extents, [arenaBytes, numbers.length, ...used.map(({ bytes }) => bytes)])
    const { live, budget } = this.use
    const limit = Math.max(0, Math.min(budget - live, 2 ** 32 - 64))
    if (!own && arenaBytes > limit) return this.refuse(arenaBytes)
    const number = this.next([code, ...used, ...(own ? [own] : [])])
    const head = [code.at, this.runner.use(this.threads), own ? 0 : arenaBytes, limit]
    const at = this.layOut(head, own?.at ?? 0, numbers, used)
    const commands = this.exports.commandsOf(code.at)
    const profile = this.profiling
    const kernels = profile ? countTo(commands).map((c) => this.exports.kernelOf(code.at, c)) : []
    this.runs.set(number, { at, kernels })
    return this.promise({ number, kind: 'run', at, commands, profile })
  }

  // ---- accounts

  memory(): { live: number; peak: number; arena: number; budget: number; buffers: number } {
    return { ...this.use }
  }

  resetPeak(): void {
    this.use.peak = this.use.live + this.use.arena
  }

  setBudget(bytes: number): void {
    this.use.budget = wholeNumber(bytes, 'the budget')
  }

  profile(on: boolean): void {
    if (typeof on !== 'boolean') throw failWith('ARGUMENT', 'on must be a boolean')
    this.profiling = on
  }

  takeProfile(): { kernel: number[]; micros: number[]; command: number[] } {
    const taken = this.profiled
    this.profiled = { kernel: [], micros: [], command: [] }
    return taken
  }

  // ---- handles

  private handle<T>(made: Omit<Resource, 'lastUse' | 'released'>): T {
    const resource = { ...made, lastUse: 0, released: false }
    const handle = new Handle(resource)
    this.count('live', made.bytes)
    this.registry.register(handle, resource, handle)
    try {
      if (made.bytes >= HEAVY) handle.ballast = new ArrayBuffer(made.bytes)
    } catch {
      // Without address space for the ballast, collections may come later.
    }
    return handle as T
  }

  private known(value: unknown, what: string): Handle {
    if (value instanceof Handle) return value
    throw failWith('ARGUMENT', `${what} is no handle of this device`)
  }

  private resource(value: unknown, kind: Resource['kind'], what: string): Resource {
    const { resource } = this.known(value, what)
    if (resource?.kind === kind) return resource
    throw failWith('ARGUMENT', `${what} is not ${kind} or has been disposed of`)
  }

  /** Frees a resource, after the jobs that use it have ended. */
  private release(resource: Resource): void {
    if (resource.released) return
    resource.released = true
    if (resource.lastUse > this.lastDone) this.retired.push(resource)
    else this.free(resource)
  }

  private free({ kind, at, bytes }: Resource): void {
    if (kind === 'a program') this.exports.releaseProgram(at)
    else this.exports.release(at)
    if (kind === 'a buffer') this.use.buffers--
    this.count('live', -bytes)
  }

  private count(part: 'live' | 'arena', bytes: number): void {
    this.use[part] += bytes
    this.use.peak = Math.max(this.use.peak, this.use.live + this.use.arena)
  }

  private fits(bytes: number): boolean {
    return bytes <= this.use.budget - this.use.live - this.use.arena && bytes < 2 ** 32 - 64
  }

  private outOfMemory(what: string, bytes: number): Error {
    const { live, arena, budget } = this.use
    return failWith(
      'MEMORY',
      `no memory for ${what} of ${bytes} bytes: ${live + arena} of the budget of ${budget} bytes are in use`,
    )
  }

  // ---- jobs

  /** Returns the number of a new job that uses these resources. */
  private next(used: readonly Resource[]): number {
    if (this.crashed) throw failWith('RUN', this.crashed)
    this.lastSubmitted++
    for (const resource of used) resource.lastUse = this.lastSubmitted
    return this.lastSubmitted
  }

  /** Writes a job to memory in the layout that the kernels read: head, addresses of the buffers, scalars. */
  private layOut(
    head: readonly number[],
    arena: number,
    scalars: Uint8Array,
    used: readonly Resource[],
  ): number {
    const words = JOB_HEAD + 2 + used.length
    const scalarsAt = Math.ceil((words * 4) / 64) * 64
    const at = this.exports.allocate(scalarsAt + scalars.length) >>> 0
    if (at === 0) throw this.outOfMemory('a run', scalarsAt + scalars.length)
    const places = [arena, at + scalarsAt, ...used.map((resource) => resource.at)]
    new Uint32Array(this.wasmMemory.buffer, at, words).set([...head, ...places])
    new Uint8Array(this.wasmMemory.buffer, at + scalarsAt, scalars.length).set(scalars)
    return at
  }

  private submit(job: Job): void {
    this.runner.submit(job)
  }

  private promise<T>(job: Job): Promise<T> {
    return new Promise((resolve, reject) => {
      this.submit(job)
      if (this.waiting.size === 0) this.runner.hold(true)
      this.waiting.set(job.number, { resolve, reject })
    })
  }

  /** Rejects asynchronously, as the job would have. */
  private refuse(arenaBytes: number): Promise<never> {
    return new Promise((_, reject) => {
      setTimeout(() => reject(this.outOfMemory('the intermediates', arenaBytes)))
    })
  }

  private settle({ number, bytes, arena, micros, error, command, outOfMemory }: Reply): void {
    this.lastDone = number
    const run = this.runs.get(number)
    if (run) this.exports.release(run.at)
    this.runs.delete(number)
    if (arena !== undefined) this.count('arena', arena - this.use.arena)
    micros?.forEach((time, i) => {
      this.profiled.kernel.push(run?.kernels[i] as number)
      this.profiled.micros.push(time)
      this.profiled.command.push(i)
    })
    const free = this.retired.filter((resource) => resource.lastUse <= number)
    this.retired = this.retired.filter((resource) => resource.lastUse > number)
    for (const resource of free) this.free(resource)
    const waiting = this.waiting.get(number)
    this.waiting.delete(number)
    if (this.waiting.size === 0) this.runner.hold(false)
    if (error === undefined) waiting?.resolve(bytes as never)
    else waiting?.reject(failWith(outOfMemory ? 'MEMORY' : 'RUN', error, command))
  }

  private crash(reason: string): void {
    if (this.crashed) return
    this.crashed = `the WebAssembly device has crashed and cannot compute any further: ${reason}`
    for (const { reject } of this.waiting.values()) reject(failWith('RUN', this.crashed))
    this.waiting.clear()
  }

  private texts(at: (index: number) => number): string[] {
    const out: string[] = []
    for (let place = 0; (place = at(out.length)) !== 0; ) out.push(textAt(this.wasmMemory, place))
    return out
  }
}

function checkInside({ bytes }: Resource, offset: number, count: number): void {
  if (offset <= bytes && count <= bytes - offset) return
  throw failWith(
    'RANGE',
    `${count} bytes at offset ${offset} are outside a buffer of ${bytes} bytes`,
  )
}

/** Checks that each buffer has the size that the views of the program need. */
function checkExtents(extents: readonly number[], sizes: readonly number[]): void {
  extents.forEach((need, i) => {
    if (i < sizes.length && need <= sizes[i]) return
    const which = i === 0 ? 'the arena' : i === 1 ? 'the scalars' : `buffer ${i - 2}`
    const has = i < sizes.length ? `has ${sizes[i]} bytes` : 'is missing'
    throw failWith('RANGE', `${which} ${has}, the program needs ${need}`)
  })
}

const countTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
