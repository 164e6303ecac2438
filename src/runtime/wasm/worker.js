// A thread of the WebAssembly device, in Node or a browser. Thread 0 runs the jobs that it receives; the
// others wait in `help` and run parts of its kernels.
import { instantiate, perform } from './instance.js'

const port = globalThis.process?.getBuiltinModule?.('node:worker_threads').parentPort
const send = (reply, moved) => (port ?? globalThis).postMessage(reply, moved)
if (port) port.on('message', receive)
else globalThis.onmessage = ({ data }) => receive(data)

let kernels
let memory

function receive(message) {
  if (message.module) start(message)
  else send(...done(message))
}

function start(setup) {
  memory = setup.memory
  kernels = instantiate(setup)
  if (setup.thread > 0) kernels.help(setup.thread)
}

function done(job) {
  const steps = perform(kernels, memory, job)
  for (let step = steps.next(); ; step = steps.next())
    if (step.done) return [step.value, step.value.bytes ? [step.value.bytes] : []]
}
