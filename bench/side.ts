// One side of a comparison: a process that runs cases on request and reports their times.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Case } from './cases.ts'

/** The result of a turn. */
export interface Turn {
  /** Milliseconds of one run. */
  ms: number
  peakBytes: number
}

type Command = [command: string, ...args: string[]]

const folder = fileURLToPath(new URL('.', import.meta.url))
const python = process.env.HEED_PYTHON ?? 'python3'

/** Peers from npm are installed in a separate folder, because none is a dependency of Heed. */
const npmPeers = fileURLToPath(new URL('../build/bench/', import.meta.url))

const heed: Command = [process.execPath, ...process.execArgv, `${folder}peers/heed.ts`]
const otherBuild: Command = [
  process.execPath,
  ...process.execArgv,
  '--import',
  `${folder}peers/other-build.mjs`,
  `${folder}peers/heed.ts`,
]
const commands: Record<string, Command> = {
  heed,
  'heed wasm': heed,
  torch: [python, `${folder}peers/torch_peer.py`],
  'torch.compile': [python, `${folder}peers/torch_peer.py`, '--compile'],
  'llama.cpp': [python, `${folder}peers/llama_peer.py`],
  openblas: [python, `${folder}peers/openblas_peer.py`],
  tfjs: [process.execPath, `${folder}peers/tfjs-peer.mjs`, npmPeers],
  'transformers.js': [process.execPath, `${folder}peers/transformers-js-peer.mjs`, npmPeers],
  'jax-js': [process.execPath, `${folder}peers/jax-js-peer.mjs`, npmPeers],
}

const devices: Record<string, string> = { heed: 'cpu', 'heed wasm': 'wasm' }

export class Side {
  readonly name: string
  readonly version: string
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: Interface
  private readonly ended: Promise<null>

  private constructor(name: string, child: ChildProcessWithoutNullStreams, version: string) {
    this.name = name
    this.child = child
    this.version = version
    this.lines = createInterface({ input: child.stdout })
    this.ended = once(child, 'exit').then(() => null)
  }

  /**
   * Starts a side. Resolves to null if the peer does not run on this machine.
   * @param other another build of Heed to run instead of this one: a checkout, or a native addon
   */
  static async start(name: string, threads: number, other?: string): Promise<Side | null> {
    const isAddon = other?.endsWith('.node')
    const command = other && !isAddon ? otherBuild : commands[name]
    if (!command) return null
    const count = String(threads)
    const env = {
      ...process.env,
      HEED_THREADS: count,
      OMP_NUM_THREADS: count,
      MKL_NUM_THREADS: count,
      OPENBLAS_NUM_THREADS: count,
      ...(devices[name] && { HEED_DEVICE: devices[name] }),
      ...(other && { [isAddon ? 'HEED_ADDON' : 'HEED_AGAINST']: other }),
    }
    const child = spawn(command[0], command.slice(1), { env })
    child.stdin.on('error', () => {}) // the process has ended; the next answer reports it
    let complaint = ''
    child.stderr.on('data', (text) => {
      complaint += text
    })
    const failed = once(child, 'error').then(() => null)
    const side = new Side(name, child, '')
    const hello = await Promise.race([side.ask<{ version: string }>({ hello: threads }), failed])
    if (hello) return Object.assign(side, { version: hello.version })
    if (process.env.HEED_DEBUG) console.error(complaint)
    return null
  }

  /** Runs the case for about `ms` milliseconds. */
  async turn(which: Case, ms: number): Promise<Turn> {
    const { family, params } = which
    const turn = await this.ask<Turn & { error?: string }>({ family, params, ms })
    if (!turn || turn.error) throw new Error(`${this.name}: ${turn?.error ?? 'ended early'}`)
    return turn
  }

  /** The answer, or null if the process has ended. */
  async ask<T>(question: object): Promise<T | null> {
    const line = once(this.lines, 'line').then(([text]) => JSON.parse(text) as T)
    this.child.stdin.write(`${JSON.stringify(question)}\n`)
    return Promise.race([line, this.ended])
  }

  async end(): Promise<void> {
    this.child.stdin.end()
    await this.ended
  }
}
