// Where jobs are done, in the order of submission: on threads, or without them on this one.
import { startThread, type Thread } from './host.ts'
import { type Job, type Kernels, perform, type Reply, type Setup } from './instance.js'

export interface Runner {
  /** The reply comes later, in a macrotask of its own. */
  submit(job: Job): void
  /** Threads that a job may use. Returns how many there are. */
  use(threads: number): number
  /** Whether the process stays alive for the jobs under way. */
  hold(on: boolean): void
}

export interface Listener {
  onReply(reply: Reply): void
  /** Nothing can be computed any more. */
  onCrash(reason: string): void
}

const STACK = 1 << 20
/** As many as kernels may count on (native/wasm/pool.h). */
const MOST_THREADS = 64

/** Thread 0 does the jobs, the others help it. They start when they are first wanted. */
export class ThreadRunner implements Runner {
  private readonly threads: Thread[] = []
  private readonly kernels: Kernels
  private readonly setup: Setup
  private readonly listener: Listener

  constructor(kernels: Kernels, setup: Setup, listener: Listener) {
    this.kernels = kernels
    this.setup = setup
    this.listener = listener
  }

  submit(job: Job): void {
    this.use(1)
    this.threads[0].post(job)
  }

  use(threads: number): number {
    const wanted = Math.min(threads, MOST_THREADS)
    while (this.threads.length < wanted) this.start(this.threads.length)
    return wanted
  }

  hold(on: boolean): void {
    this.threads[0]?.hold(on)
  }

  private start(index: number): void {
    const local = this.kernels.__tls_size.value
    const at = this.kernels.allocate(STACK + local) >>> 0
    if (at === 0) throw new Error('there is no memory for the stack of a thread')
    const thread = startThread(
      (reply) => this.listener.onReply(reply),
      (reason) => this.crash(reason),
    )
    this.threads.push(thread)
    thread.post({ ...this.setup, thread: index, stack: { at, bytes: STACK, locals: at + STACK } })
  }

  private crash(reason: string): void {
    for (const thread of this.threads) thread.stop()
    this.listener.onCrash(reason)
  }
}

/** How long jobs may keep this thread from anything else, in milliseconds. */
const SLICE = 10

/** On this thread, with pauses in which it may do other things. */
export class InlineRunner implements Runner {
  private readonly kernels: Kernels
  private readonly memory: WebAssembly.Memory
  private readonly listener: Listener
  private readonly jobs: Job[] = []
  private running: ReturnType<typeof perform> | null = null

  constructor(kernels: Kernels, { memory }: Setup, listener: Listener) {
    this.kernels = kernels
    this.memory = memory
    this.listener = listener
  }

  submit(job: Job): void {
    if (this.jobs.push(job) === 1) setTimeout(() => this.work())
  }

  use(): number {
    return 1
  }

  hold(): void {}

  /** Goes on for a slice of time, or until a job ends: each reply is a macrotask of its own. */
  private work(): void {
    const end = performance.now() + SLICE
    try {
      this.running ??= perform(this.kernels, this.memory, this.jobs[0])
      let step = this.running.next()
      while (!step.done && performance.now() < end) step = this.running.next()
      if (step.done) {
        this.running = null
        this.jobs.shift()
        this.listener.onReply(step.value)
      }
    } catch (error) {
      this.jobs.length = 0
      this.listener.onCrash(error instanceof Error ? error.message : String(error))
    }
    if (this.jobs.length > 0) setTimeout(() => this.work())
  }
}
