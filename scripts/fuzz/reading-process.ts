import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Problem, Reply, Request } from './worker.ts'

/** The answer of a process to a request. `next` is the input after the last one it has read. */
export interface Answer {
  problems: { index: number; problem: Problem }[]
  next: number
  opened: number
  slowest: number
}

/** A process that reads inputs. It is replaced when an input hangs or crashes it. */
export class ReadingProcess {
  readonly #folder: string
  readonly #stateFile: string
  readonly #limit: number
  readonly #output: string[] = []
  #child: ChildProcess | undefined
  #hear: (reply: Reply) => void = () => {}
  #lost: (reason: string) => void = () => {}

  /** @param limit maximum milliseconds for one input */
  constructor(folder: string, limit: number) {
    this.#folder = folder
    this.#stateFile = join(folder, 'state')
    this.#limit = limit
  }

  async ask(request: Request): Promise<Answer> {
    writeFileSync(this.#stateFile, new Float64Array([-1, 0]))
    const child = this.#child ?? this.#start()
    this.#child = child
    const answer: Answer = { problems: [], next: 'from' in request ? request.from : 0, opened: 0, slowest: 0 } // biome-ignore format: one line
    const state = openSync(this.#stateFile, 'r')
    let hangs = false
    const watch = setInterval(
      watching(state, this.#limit, () => {
        hangs = true
        child.kill('SIGKILL')
      }),
      100,
    )
    try {
      await new Promise<void>((resolve) => {
        this.#hear = (reply) => {
          if (reply.kind === 'problem') answer.problems.push(reply)
          else resolve(void Object.assign(answer, reply))
        }
        this.#lost = (reason) => {
          const index = Math.max(current(state).index, answer.next)
          answer.problems.push({ index, problem: this.#loss(hangs, reason) })
          answer.next = index + 1
          resolve()
        }
        child.send(request)
      })
    } finally {
      clearInterval(watch)
      closeSync(state)
    }
    return answer
  }

  end(): void {
    this.#lost = () => {}
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #start(): ChildProcess {
    const worker = fileURLToPath(new URL('worker.ts', import.meta.url))
    const child = fork(worker, [this.#folder, this.#stateFile], {
      execArgv: [...process.execArgv, '--max-old-space-size=768'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#output.length = 0
    child.on('message', (reply: Reply) => this.#hear(reply))
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#child = undefined
      this.#lost(signal ?? `code ${code}`)
    })
    child.on('error', () => {}) // sending to a process that has just ended; 'exit' follows
    child.stderr?.on('data', (text) => {
      this.#output.push(String(text))
      if (this.#output.length > 20) this.#output.shift()
    })
    return child
  }

  #loss(hangs: boolean, reason: string): Problem {
    if (hangs) return { kind: 'hang', message: `more than ${this.#limit / 1000} s`, place: 'hang' }
    const lines = this.#output.join('').trim().split('\n')
    const message = lines.find((line) => /error|fatal/i.test(line)) ?? lines.at(-1) ?? ''
    return { kind: 'crash', message: `${reason} ${message}`.trim().slice(0, 300), place: 'crash' }
  }
}

/** Calls `onHang` when reading an input takes longer than the limit. */
function watching(state: number, limit: number, onHang: () => void): () => void {
  let [last, since] = [-1, performance.now()]
  return () => {
    const { index, isReading } = current(state)
    if (index !== last || !isReading) since = performance.now()
    last = index
    if (performance.now() - since > limit) onHang()
  }
}

/** The input that the process is reading. */
function current(state: number): { index: number; isReading: boolean } {
  const [index, reading] = readInto(state, new Float64Array(2))
  return { index, isReading: reading === 1 }
}

function readInto(file: number, numbers: Float64Array): Float64Array {
  readSync(file, numbers, 0, numbers.byteLength, 0)
  return numbers
}
