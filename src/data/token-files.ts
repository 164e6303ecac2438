import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fileError } from '../io/files/file-error.ts'
import { readJson } from '../io/files/json.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { TokenDataset } from './token-dataset.ts'
import {
  MemorySource,
  type OpenShard,
  readExactly,
  ShardSource,
  type TokenArray,
  type TokenSource,
} from './token-source.ts'

// Format of a folder of tokens: meta.json, and shards of ids as little-endian u16 (vocabularies up to 65,536) or u32.

export const META_FILE = 'meta.json'

export type TokenMeta = z.infer<typeof metaSchema>

/** Options for keeping files in memory. */
export interface HoldOptions {
  /** Larger files are read in pieces. */
  maxBytesInMemory?: number
}

export const HOLD = optionKinds<HoldOptions>({ maxBytesInMemory: 'amount?' })

const checkOpenTokens = argumentKinds('openTokens', { folder: 'text', options: HOLD })

/** Opens a folder of tokens. Small ones are read into memory, large ones on demand. @throws HeedError for damage */
export async function openTokens(folder: string, options: HoldOptions = {}): Promise<TokenDataset> {
  checkOpenTokens(folder, options)
  const meta = await readMeta(folder)
  const bytesPerToken = meta.dtype === 'u16' ? 2 : 4
  const shards: OpenShard[] = []
  try {
    for (const { file, tokens } of meta.shards) {
      shards.push(openShard(join(folder, file), tokens, bytesPerToken))
    }
    const fits = meta.tokens * bytesPerToken <= (options.maxBytesInMemory ?? 512 * 1024 * 1024)
    const source = fits ? loadWhole(shards, meta) : new ShardSource(shards, bytesPerToken)
    return TokenDataset.fromSource(source, meta)
  } catch (error) {
    for (const { file } of shards.splice(0)) closeSync(file)
    throw error
  }
}

/** Reads and checks `meta.json`. */
export async function readMeta(folder: string): Promise<TokenMeta> {
  const path = join(folder, META_FILE)
  const parsed = metaSchema.safeParse(await readJson(path))
  if (parsed.success) return parsed.data
  const { path: at, message } = parsed.error.issues[0]
  throw new HeedError(
    'corrupt-file',
    `${path} must be the meta.json of a token folder: ${at.join('.') || 'file'}: ${message}`,
    { key: at.join('.'), remedy: 'Delete the folder and prepare the tokens again.' },
  )
}

const count = z.number().int().nonnegative()

const metaSchema = z
  .object({
    format: z.literal('heed-tokens'),
    version: z.literal(1),
    dtype: z.enum(['u16', 'u32']),
    vocabSize: count.max(2 ** 24),
    /** SHA-256 of the tokenizer and of the text. */
    tokenizerHash: z.string(),
    textHash: z.string(),
    tokens: count,
    // names only: a path could lead anywhere on the disk
    shards: z.array(z.object({ file: z.string().regex(/^tokens-[0-9]{5}\.bin$/), tokens: count })),
    /** Where each document starts. */
    documents: z.array(count),
  })
  .refine((meta) => sum(meta.shards.map((shard) => shard.tokens)) === meta.tokens, {
    message: 'the tokens of the shards must sum to `tokens`',
  })
  .refine(
    (meta) => meta.documents.every((at, d, all) => at < meta.tokens && at > (all[d - 1] ?? -1)),
    {
      message: 'documents must be in ascending order',
    },
  )

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}

function openShard(path: string, tokens: number, bytesPerToken: number): OpenShard {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch (error) {
    throw fileError(error, 'read', path)
  }
  const { size } = fstatSync(file)
  if (size === tokens * bytesPerToken) return { path, file, tokens }
  closeSync(file)
  throw new HeedError(
    'corrupt-file',
    `${path} must have ${tokens * bytesPerToken} bytes, as ${META_FILE} states, got ${size}`,
    { remedy: 'Delete the folder and prepare the tokens again.' },
  )
}

function loadWhole(shards: OpenShard[], { tokens, dtype }: TokenMeta): TokenSource {
  const ids: TokenArray = dtype === 'u16' ? new Uint16Array(tokens) : new Uint32Array(tokens)
  let at = 0
  for (const shard of shards) {
    const part = ids.subarray(at, at + shard.tokens)
    readExactly(shard, new Uint8Array(part.buffer, part.byteOffset, part.byteLength), 0)
    at += shard.tokens
  }
  for (const { file } of shards.splice(0)) closeSync(file)
  return new MemorySource(ids)
}
