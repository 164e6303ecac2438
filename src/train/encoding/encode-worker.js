// A thread that makes examples of rows. It is started by threads.ts, in dist/ too.
import { parentPort, workerData } from 'node:worker_threads'
import { taskKind } from '../tasks/index.ts'
import { encodePart } from './encode-part.ts'

const { task, folder, ...own } = workerData
const kind = taskKind(task)
const parts = { ...own, preprocessor: await kind.openPreprocessor(folder) }
const encoder = kind.rowEncoder?.(parts) ?? kind.create(parts)

parentPort.on('message', async ({ number, rows }) => {
  const part = await encodePart(encoder, rows)
  const { bytes, sizes, lengths } = part.packed
  parentPort.postMessage({ number, part }, [bytes.buffer, sizes.buffer, lengths.buffer])
})
