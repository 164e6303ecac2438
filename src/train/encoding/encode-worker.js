// A thread that makes examples of rows. It is started by threads.ts, in dist/ too.
import { parentPort, workerData } from 'node:worker_threads'
import { loadModules } from '../../util/imports.ts'
import { taskKind } from '../tasks/index.ts'
import { encodePart, idsOfParts } from './encode-part.ts'

const { imports, task, folder, partsOfTexts, ...own } = workerData
await loadModules(imports)
const kind = taskKind(task)
const parts = { ...own, preprocessor: await kind.openPreprocessor(folder) }
const encoder = partsOfTexts
  ? idsOfParts(parts.preprocessor)
  : (kind.rowEncoder?.(parts) ?? kind.create(parts))

parentPort.on('message', async ({ number, rows }) => {
  const part = await encodePart(encoder, rows)
  const { bytes, sizes, lengths } = part.packed
  parentPort.postMessage({ number, part }, [bytes.buffer, sizes.buffer, lengths.buffer])
})
