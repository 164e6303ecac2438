import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { syncFolder, temporaryPath, writeFileAtomic } from '../io/files/atomic.ts'
import { tidyCache } from '../io/files/cache.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { fileError } from '../io/files/file-error.ts'
import { recordHashes } from '../io/files/hashes.ts'
import { move, remove } from '../io/files/patience.ts'
import { checkFiles } from '../io/files/verify.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import { having, optionKinds } from '../util/options.ts'
import { readText } from './read-text.ts'
import { surveyText } from './survey.ts'
import type { TokenDataset } from './token-dataset.ts'
import { META_FILE, openTokens, readMeta, type TokenMeta } from './token-files.ts'
import { TokenWriter } from './token-writer.ts'

/** The part of a tokenizer that `prepareTokens` uses. */
export interface TokenEncoder {
  /** Number of ids. All ids are below it. */
  readonly vocabSize: number
  /** Id that ends each document; undefined for none. */
  readonly eosTokenId: number | undefined
  /** Cuts a text that arrives in pieces into pieces that can be encoded independently. */
  cutPieces(pieces: Iterable<string>): Iterable<string>
  /** Returns the ids of a text. */
  encode(text: string, options: { addSpecialTokens: boolean }): readonly number[]
  /** Everything that determines the ids. */
  toJSON(): unknown
}

/** Options of `prepareTokens`. */
export interface PrepareTokensOptions {
  /** Text files, such as those of `findTextFiles`. Each file is a document. */
  files: string[]
  /** The tokenizer. Its contents are part of the folder's name in the cache. */
  tokenizer: TokenEncoder
  /** Encoding of the files. See `readText`. */
  encoding?: string
  /** Cache that has a folder for each pair of text and tokenizer. Later runs reuse them. */
  cacheDir: string
  /** Progress callback. An error that it throws aborts the work. */
  onProgress?: (progress: PrepareProgress) => void
  /** Encodes texts in order, for example in other threads. Default: `tokenizer.encode`. */
  encode?: (texts: Iterable<string>) => AsyncIterable<readonly number[]>
  /** Number of tokens per file; for tests. */
  shardTokens?: number
}

const ENCODER = having('a tokenizer', 'encode', 'cutPieces', 'toJSON')
const checkHashTokenizer = argumentKinds('hashTokenizer', { tokenizer: ENCODER })
const PREPARE = optionKinds<PrepareTokensOptions>({
  files: 'pathList',
  tokenizer: ENCODER,
  encoding: 'text?',
  cacheDir: 'text',
  onProgress: 'function?',
  encode: 'function?',
  shardTokens: 'size?',
})

/** Progress of `prepareTokens`. */
export interface PrepareProgress {
  /** `read` checks the text, `encode` tokenizes it. */
  stage: 'read' | 'encode'
  /** Number of characters. */
  done: number
  /** Number of characters of all files. Absent in the stage `read`. */
  total?: number
}

/**
 * Encodes text into a folder of tokens and opens it. If the tokenizer has an end-of-text token, it ends each document.
 * An interrupted run leaves no folder.
 * @throws HeedError for a missing file, text that is not valid, and a full disk
 */
export async function prepareTokens(options: PrepareTokensOptions): Promise<TokenDataset> {
  PREPARE.check('prepareTokens', options)
  const { files, tokenizer, cacheDir, onProgress, encoding } = options
  const survey = surveyText(files, {
    encoding,
    onProgress: (done) => onProgress?.({ stage: 'read', done }),
  })
  const hashes = { tokenizerHash: hashTokenizer(tokenizer), textHash: survey.hash }
  const folder = join(cacheDir, sha256(JSON.stringify(hashes)).slice(0, 32))
  const cached = await openCached(folder, hashes)
  if (!cached) await makeTokens(folder, survey.characters, hashes, options)
  const tokens = cached ?? (await openTokens(folder))
  await tidyCache(cacheDir, folder)
  return tokens
}

async function makeTokens(
  folder: string,
  characters: number,
  hashes: { tokenizerHash: string; textHash: string },
  options: PrepareTokensOptions,
): Promise<void> {
  const temporary = temporaryPath(folder)
  try {
    await ensureDir(temporary)
    const meta = { ...(await encodeFiles(temporary, characters, options)), ...hashes }
    await writeFileAtomic(join(temporary, META_FILE), `${JSON.stringify(meta)}\n`)
    await recordHashes(temporary, [META_FILE, ...meta.shards.map(({ file }) => file)])
    await publish(temporary, folder)
  } catch (error) {
    await remove(temporary).catch(() => {}) // the first error is reported
    throw fileError(error, 'write tokens to', folder)
  }
}

/** SHA-256 of everything that determines the ids of a tokenizer. */
export function hashTokenizer(tokenizer: TokenEncoder): string {
  checkHashTokenizer(tokenizer)
  return sha256(JSON.stringify([tokenizer.toJSON(), tokenizer.eosTokenId ?? null]))
}

async function encodeFiles(
  folder: string,
  characters: number,
  { files, tokenizer, onProgress, encode, encoding, shardTokens = 1 << 28 }: PrepareTokensOptions,
): Promise<Omit<TokenMeta, 'tokenizerHash' | 'textHash'>> {
  const { vocabSize, eosTokenId: end } = tokenizer
  const dtype = vocabSize <= 65536 ? 'u16' : 'u32'
  const writer = new TokenWriter(folder, dtype, shardTokens)
  const documents: number[] = []
  const underWay: { file: number; characters: number }[] = []
  function* texts(): Generator<string> {
    for (const [file, path] of files.entries())
      for (const part of tokenizer.cutPieces(readText(path, encoding))) {
        underWay.push({ file, characters: part.length })
        yield part
      }
  }
  let done = 0
  let open = -1 // the file whose tokens are being written
  const endDocument = (): void => {
    if (end !== undefined && open >= 0) writer.write([end])
  }
  try {
    for await (const ids of encode?.(texts()) ?? encodeHere(texts(), tokenizer)) {
      const { file, characters: some } = underWay.shift() as (typeof underWay)[0]
      if (file !== open && ids.length > 0) {
        endDocument()
        documents.push(writer.tokens)
        open = file
      }
      writer.write(ids)
      onProgress?.({ stage: 'encode', done: (done += some), total: characters })
    }
    endDocument()
    writer.finish()
  } catch (error) {
    writer.abandon()
    throw error
  }
  const { tokens, shards } = writer
  return { format: 'heed-tokens', version: 1, dtype, vocabSize, tokens, shards, documents }
}

async function* encodeHere(
  texts: Iterable<string>,
  tokenizer: TokenEncoder,
): AsyncGenerator<readonly number[]> {
  for (const text of texts) {
    yield tokenizer.encode(text, { addSpecialTokens: false })
    await macrotask() // for the caller's display and signals
  }
}

/** Opens the tokens of an earlier run; undefined if they are damaged or belong to other text. */
async function openCached(
  folder: string,
  hashes: { tokenizerHash: string; textHash: string },
): Promise<TokenDataset | undefined> {
  try {
    const files = await checkFiles(folder)
    if (!files || files.some(({ problem }) => problem !== undefined)) return undefined
    const meta = await readMeta(folder)
    const same = meta.tokenizerHash === hashes.tokenizerHash && meta.textHash === hashes.textHash
    return same ? await openTokens(folder) : undefined
  } catch (error) {
    if (error instanceof HeedError) return undefined
    throw error
  }
}

/** Renames the folder to its final name. A damaged or outdated folder is replaced. */
async function publish(temporary: string, folder: string): Promise<void> {
  await syncFolder(temporary)
  await remove(folder)
  try {
    await move(temporary, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
    await remove(temporary) // another process has just written the same folder
  }
  await syncFolder(dirname(folder))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
