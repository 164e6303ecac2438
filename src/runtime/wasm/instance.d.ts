/** The exports of native/wasm/module.cc. Addresses are returned as signed numbers; `>>> 0` makes them unsigned. */
export interface Kernels {
  allocate(bytes: number): number
  release(at: number): void
  decode(words: number, count: number): number
  malformed(): number
  releaseProgram(program: number): void
  bytesOf(program: number): number
  commandsOf(program: number): number
  kernelOf(program: number, command: number): number
  extentOf(program: number, buffer: number): number
  begin(job: number): number
  arenaBytes(): number
  run(job: number, command: number): number
  failed(): number
  help(thread: number): never
  kernelName(index: number): number
  microOpName(index: number): number
  readonly __tls_size: WebAssembly.Global
}

/** The data that a thread needs to instantiate the kernels. */
export interface Setup {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  /** Stack and address of the thread-local variables, for all instances but the first. */
  stack?: { at: number; bytes: number; locals: number }
}

export type Job = { number: number } & (
  | { kind: 'write'; at: number; bytes: Uint8Array }
  | { kind: 'read'; at: number; count: number }
  | { kind: 'run'; at: number; commands: number; profile: boolean }
)

export interface Reply {
  number: number
  bytes?: ArrayBuffer
  /** Size of the arena after a run, in bytes. */
  arena?: number
  /** Time of each command that ran, in microseconds, if the job has `profile`. */
  micros?: number[]
  /** The reason of a failure; `command` is the index of the command that failed, if any. */
  error?: string
  command?: number
  outOfMemory?: boolean
}

export function instantiate(setup: Setup): Kernels
export function textAt(memory: WebAssembly.Memory, at: number): string
export function perform(
  kernels: Kernels,
  memory: WebAssembly.Memory,
  job: Job,
): Generator<undefined, Reply>
