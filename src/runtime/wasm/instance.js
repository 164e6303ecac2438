// An instance of the kernels (native/wasm/module.cc) and the jobs that it runs. This is plain JavaScript,
// because workers load it unchanged.

/** Instantiates the kernels. All threads share one memory; each thread but the first has its own stack. */
export function instantiate({ module, memory, stack }) {
  // The C library imports these functions to write files, which the kernels never do.
  const noFile = () => 8
  const files = { fd_close: noFile, fd_seek: noFile, fd_write: noFile }
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory },
    wasi_snapshot_preview1: files,
  })
  if (stack) {
    exports.__stack_pointer.value = (stack.at + stack.bytes) | 0
    exports.__wasm_init_tls(stack.locals)
  } else exports.__wasm_call_ctors()
  return exports
}

/** Reads the zero-terminated string at this address. */
export function textAt(memory, at) {
  const bytes = new Uint8Array(memory.buffer, at >>> 0)
  return String.fromCharCode(...bytes.slice(0, bytes.indexOf(0)))
}

/** Runs a job. Yields after each command and returns the reply. */
export function* perform(kernels, memory, job) {
  const { number } = job
  if (job.kind === 'write') {
    new Uint8Array(memory.buffer, job.at, job.bytes.length).set(job.bytes)
    return { number }
  }
  if (job.kind === 'read')
    return { number, bytes: new Uint8Array(memory.buffer, job.at, job.count).slice().buffer }
  const micros = []
  const fits = kernels.begin(job.at)
  const arena = kernels.arenaBytes() >>> 0
  if (!fits) return { number, arena, error: 'no memory for the intermediates', outOfMemory: true }
  for (let command = 0; command < job.commands; command++) {
    const start = job.profile ? performance.now() : 0
    if (!kernels.run(job.at, command))
      return { number, arena, micros, command, error: textAt(memory, kernels.failed()) }
    if (job.profile) micros.push((performance.now() - start) * 1000)
    yield
  }
  return { number, arena, micros }
}
