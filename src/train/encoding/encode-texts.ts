import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Row, type RowSource, unpackAll } from '../../data/index.ts'
import { temporaryPath } from '../../io/files/atomic.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { idsOfParts } from './encode-part.ts'
import { encodeParts, thisThread } from './parts.ts'
import { EncodingThreads } from './threads.ts'

/** Encodes texts in threads. Yields the ids of each text in order, without special tokens. */
export async function* encodeTexts(
  texts: Iterable<string>,
  tokenizer: Tokenizer,
  { threads: count, cacheDir, worker }: { threads: number; cacheDir: string; worker?: URL },
): AsyncGenerator<readonly number[]> {
  const folder = temporaryPath(join(cacheDir, 'preprocessor'))
  let threads: EncodingThreads | undefined
  try {
    await tokenizer.save(folder)
    const context = { options: {}, facts: {}, modelType: '', contextLength: 0, partsOfTexts: true }
    const setup = { task: 'text-generation', ...context, folder }
    threads = await EncodingThreads.start(setup, count, worker)
    const encoder = threads ?? thisThread(idsOfParts(tokenizer))
    for await (const part of encodeParts(rowsOf(texts), encoder))
      yield* unpackAll(part) as Iterable<readonly number[]>
  } finally {
    await threads?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function rowsOf(texts: Iterable<string>): RowSource {
  async function* rows(): AsyncGenerator<Row> {
    let number = 0
    for (const text of texts) yield { values: { text }, file: 'text', number: ++number }
  }
  return { columns: ['text'], rows }
}
