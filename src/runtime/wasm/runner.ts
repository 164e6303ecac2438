// Runs jobs in the order of submission: on worker threads, or on the calling thread.
import { startThread, type Thread } from './host.ts'
import { type Job, type Kernels, perform, type Reply, type Setup } from './instance.js'

export interface Runner {
  /** Queues a job. The reply arrives later, in a separate macrotask. */
  submit(job: Job): void
  /** Starts threads as needed, and returns the number of threads that a job can use. */
  use(threads: number): number
  /** Sets whether running jobs keep the process alive. */
  hold(on: boolean): void
}

export interface Listener {
  onReply(reply: Reply): void
  /** Called once if a thread fails. No further job can run. */
  onCrash(reason: string): void
}

const STACK = 1 << 20
/** The maximum that the kernels support (native/wasm/pool.h). */
const MOST_THREADS = 64

/** Thread 0 runs the jobs and the others help it. Threads start on first use. */
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
    if (at === 0) throw new Error('not enough memory for the stack of a thread')
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

/** Maximum time for which jobs block the calling thread, in milliseconds. */
const SLICE = 10

/** Runs jobs on the calling thread, with pauses for other work. */
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

  /** Continues for one time slice or until the job ends, so that each reply has a separate macrotask. */
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
