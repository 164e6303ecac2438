// The thread that encodes rows. encoding/threads.ts starts it, from the sources and from dist/. This file is not in
// encoding/ because modules there must not import the tasks.
import { parentPort, workerData } from 'node:worker_threads'
import { loadModules } from '../util/imports.ts'
import { encodePart, idsOfParts } from './encoding/encode-part.ts'
import { taskDefinition } from './tasks/index.ts'

const { imports, task, folder, partsOfTexts, ...own } = workerData
await loadModules(imports)
const kind = taskDefinition(task)
const context = { ...own, preprocessor: await kind.openPreprocessor(folder) }
const encoder = partsOfTexts
  ? idsOfParts(context.preprocessor)
  : (kind.rowEncoder?.(context) ?? kind.create(context))

parentPort.on('message', async ({ number, rows }) => {
  const part = await encodePart(encoder, rows)
  const { bytes, sizes, lengths } = part.packed
  parentPort.postMessage({ number, part }, [bytes.buffer, sizes.buffer, lengths.buffer])
})
