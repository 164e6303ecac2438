/** What native/wasm/module.cc exports. Addresses come as signed numbers: `>>> 0` makes them whole. */
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

/** What a thread needs to take part. */
export interface Setup {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  /** For all but the first instance: its stack, and the place of its thread-local variables. */
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
  /** Bytes of the arena, after a run. */
  arena?: number
  /** Of each command that ran, when the job asked for it. */
  micros?: number[]
  /** Why it failed, and at which command if at one. */
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
