// A thread that makes examples of rows. It is started by threads.ts, in dist/ too.
import { parentPort, workerData } from 'node:worker_threads'
import { encodePart, openTaskOf } from './encode-part.ts'

const task = await openTaskOf(workerData)

parentPort.on('message', async ({ number, rows }) => {
  const part = await encodePart(task, rows)
  const { bytes, sizes, lengths } = part.packed
  parentPort.postMessage({ number, part }, [bytes.buffer, sizes.buffer, lengths.buffer])
})
