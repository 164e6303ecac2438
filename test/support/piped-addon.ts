// The addon's interface, spoken to a kernel server (test/native/kernel-server.cc) over its pipes.
import { spawn, spawnSync } from 'node:child_process'
import type { Addon, BufferHandle, ProgramHandle } from '../../src/runtime/cpu/addon.ts'

type Bytes = ArrayBufferView | ArrayBuffer

interface Waiting {
  resolve: (answer: ArrayBuffer) => void
  reject: (error: Error) => void
}

const kinds = ['configure', 'allocate', 'write', 'read', 'dispose', 'program', 'run'] as const

/** One server for each process of tests; it ends with its input. */
export function pipedAddon(command: readonly string[]): Addon {
  const { kernels, microOps, isa, ...settings } = describe(command)
  const { post, ask } = connect(command)
  const forgotten = new FinalizationRegistry((number: number) => post('dispose', number))
  let handles = 0
  let { threads } = settings

  function makeHandle<T>(): { handle: T; number: number } {
    const number = ++handles
    const handle = { number } as unknown as T & object
    forgotten.register(handle, number)
    return { handle, number }
  }

  return {
    abi: 1,
    kernels,
    microOps,
    isas: [isa],
    configure(wanted) {
      threads = wanted?.threads ?? threads
      post('configure', 0, threads)
      return { isa, threads }
    },
    allocate(bytes) {
      const { handle, number } = makeHandle<BufferHandle>()
      post('allocate', number, bytes)
      return handle
    },
    write: (handle, offset, data) => post('write', numberOf(handle), offset, 0, toBuffer(data)),
    read: (handle, offset, bytes) => ask('read', numberOf(handle), offset, bytes),
    dispose: (handle) => post('dispose', numberOf(handle)),
    program(words) {
      const { handle, number } = makeHandle<ProgramHandle>()
      post('program', number, 0, 0, toBuffer(words))
      return handle
    },
    async run(program, arenaBytes, arena, scalars, buffers) {
      const list = Float64Array.of(arena ? numberOf(arena) : 0, ...buffers.map(numberOf))
      const payload = Buffer.concat([toBuffer(list), toBuffer(scalars)])
      await ask('run', numberOf(program), arenaBytes, list.length, payload)
    },
    memory: () => ({ live: 0, peak: 0, arena: 0, budget: Number.POSITIVE_INFINITY, buffers: 0 }),
    resetPeak: () => {},
    setBudget: () => {},
    profile: () => {},
    takeProfile: () => ({ kernel: [], micros: [], command: [] }),
  }
}

function describe(command: readonly string[]): {
  kernels: string[]
  microOps: string[]
  isa: string
  threads: number
} {
  const [program, ...args] = command
  const { stdout, stderr, error } = spawnSync(program, [...args, '--describe'])
  if (error || stdout.length === 0)
    throw new Error(`${command.join(' ')} does not run: ${error ?? stderr}`)
  return JSON.parse(stdout.toString())
}

type Post = (
  kind: (typeof kinds)[number],
  handle: number,
  ...rest: [number?, number?, Buffer?]
) => void

function connect(command: readonly string[]): {
  post: Post
  ask: (...message: Parameters<Post>) => Promise<ArrayBuffer>
} {
  const [program, ...args] = command
  const server = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: Waiting[] = []
  const post: Post = (kind, handle, first = 0, second = 0, payload = Buffer.alloc(0)) => {
    const header = [kinds.indexOf(kind), handle, first, second, payload.length]
    server.stdin.write(Buffer.concat([toBuffer(Float64Array.from(header)), payload]))
  }
  server.stdin.on('error', () => {}) // its end says more
  server.on('exit', (code, signal) => {
    const error = new Error(`The kernel server has ended (${signal ?? code})`)
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  server.stdout.on('data', answersTo(waiting))
  return {
    post,
    ask: (...message) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        post(...message)
      }),
  }
}

/** Puts the chunks of the answers together, and gives each to who waits longest. */
function answersTo(waiting: Waiting[]): (chunk: Buffer) => void {
  const chunks: Buffer[] = []
  let size = 0
  let wanted = 16
  return (chunk) => {
    chunks.push(chunk)
    size += chunk.length
    while (size >= wanted) {
      const all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
      chunks.splice(0, chunks.length, all)
      const [status, bytes] = [all.readDoubleLE(0), all.readDoubleLE(8)]
      wanted = 16 + bytes
      if (size < wanted) continue
      const [next] = waiting.splice(0, 1)
      setImmediate(settle, next, status, all.subarray(16, wanted)) // in a turn of its own
      chunks[0] = all.subarray(wanted)
      size -= wanted
      wanted = 16
    }
  }
}

function settle({ resolve, reject }: Waiting, status: number, answer: Buffer): void {
  if (status === 0) {
    resolve(new Uint8Array(answer).buffer)
    return
  }
  const code = status === -1 ? 'ERR_HEED_MEMORY' : 'ERR_HEED_RUN'
  const command = status > 0 ? { command: status - 1 } : {}
  reject(Object.assign(new Error(answer.toString()), { code }, command))
}

const numberOf = (handle: BufferHandle | ProgramHandle): number =>
  (handle as unknown as { number: number }).number

function toBuffer(data: Bytes): Buffer {
  if (data instanceof ArrayBuffer) return Buffer.from(data)
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}
