// Reads text as one sequence of tokens, and creates batches of windows of it.
import {
  type Examples,
  findTextFiles,
  holdsRows,
  JoinedExamples,
  prepareTokens,
  RandomWindows,
  stateOfFiles,
  TokenDataset,
} from '../../data/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { encodeTexts } from '../encoding/encode-texts.ts'
import { prepareExamples } from '../encoding/prepare-examples.ts'
import { threadsFor } from '../encoding/threads.ts'
import { stopped } from '../examples.ts'
import type {
  BatchSetup,
  Facts,
  HeldOutExamples,
  PrepareSetup,
  RowEncoder,
  TaskContext,
  TaskData,
  TrainingBatches,
} from '../task.ts'
import { taskData } from '../task-data.ts'
import { both, MixedWindows, mixOf } from './mixed-text.ts'
import { textIn } from './text.ts'

type Context = TaskContext<{ textColumn: string; mix?: string }, Facts, Tokenizer>

/** Tokens of a text, at most one more than the context length; the last token is only a target. */
export interface Window {
  ids: readonly number[]
  /** Whether it is of the text that is mixed in. */
  isMixed?: boolean
}

/** Creates windows at random positions for training, and consecutive windows that are held out. */
export async function windowBatches(setup: BatchSetup, made: Context): Promise<TrainingBatches> {
  const { batch: batchSize, seed } = setup
  const { contextLength, preprocessor: tokenizer } = made
  const all = await tokensIn(setup.data, made, setup)
  const other = setup.valData && (await tokensIn(setup.valData, made, setup))
  const tokens = other
    ? { train: all.tokens, validation: other.tokens }
    : all.tokens.split({ fraction: setup.valFraction, seed })
  const windows = { batchSize, contextLength, seed }
  const heldOut = consecutiveWindows(tokens.validation, contextLength)
  const mixed = await mixedTokens(setup, made)
  const rows = batchSize * (1 - (mixed?.mix.share ?? 0))
  return {
    train: mixed
      ? new MixedWindows(tokens.train, mixed.train, windows, mixed.mix)
      : new RandomWindows(tokens.train, windows),
    size: { train: tokens.train.length, validation: tokens.validation.length },
    perEpoch: Math.max(1, Math.floor(tokens.train.length / (rows * contextLength))),
    heldOut: mixed
      ? both(heldOut, consecutiveWindows(mixed.validation, contextLength, true))
      : heldOut,
    charactersPerToken: charactersPerToken(tokens.validation, tokenizer),
    async close() {
      await all.close()
      await other?.close()
      await mixed?.close()
    },
  }
}

/** The text that is mixed in. The same fraction as of the data is held out. */
async function mixedTokens(setup: BatchSetup, context: Context) {
  const mix = mixOf(context.options)
  if (!mix) return undefined
  const { rowOptions } = setup.data
  const data = taskData([mix.path], { columnKeys: [], rowOptions: () => rowOptions ?? {} }, {})
  const { tokens, close } = await tokensIn(data, context, setup)
  const { valFraction: fraction, seed } = setup
  return { ...tokens.split({ fraction, seed }), mix, close }
}

/** Creates the consecutive windows of held-out data. */
export async function windowsOfData(
  data: TaskData,
  setup: PrepareSetup,
  context: Context,
): Promise<HeldOutExamples<Window>> {
  const { tokens, close } = await tokensIn(data, context, setup)
  return { examples: consecutiveWindows(tokens, context.contextLength), close }
}

/** Consecutive windows. Each token except the first is a target once; the last window may be shorter. */
function consecutiveWindows(
  text: TokenDataset,
  context: number,
  isMixed?: boolean,
): Examples<Window> {
  const targets = Math.max(0, text.length - 1)
  const contextLength = Math.min(context, Math.max(1, targets))
  const length = Math.ceil(targets / contextLength)
  const sizeOf = (i: number): number => Math.min(contextLength, targets - i * contextLength)
  return {
    length,
    lengths: Uint32Array.from({ length }, (_, i) => sizeOf(i)),
    at: (i) => ({
      ids: Array.from(text.read(i * contextLength, sizeOf(i) + 1)),
      ...(isMixed && { isMixed }),
    }),
  }
}

/** The mean number of characters per token over the beginning of the text, at most 200,000 tokens. */
function charactersPerToken(text: TokenDataset, tokenizer: Tokenizer): number | undefined {
  const count = Math.min(text.length, 200_000)
  if (count === 0) return undefined
  return tokenizer.decode(text.read(0, count), { skipSpecialTokens: true }).length / count
}

/** Encodes the text of each row, followed by the end-of-text token, in pieces that are joined later. */
export function joinedTokens(tokenizer: Tokenizer, column: string): RowEncoder<readonly number[]> {
  return {
    name: 'text-generation',
    encode(row) {
      const ids = tokenizer.encode(textIn(row, column), { addSpecialTokens: false })
      if (tokenizer.eosTokenId !== undefined) ids.push(tokenizer.eosTokenId)
      const count = Math.ceil(ids.length / PIECE)
      return Array.from({ length: count }, (_, i) => ids.slice(i * PIECE, (i + 1) * PIECE))
    },
    length: (ids) => ids.length,
  }
}

/** Number of tokens in a piece, which is the unit of reading from the file. */
const PIECE = 2048

interface OpenTokens {
  tokens: TokenDataset
  close(): void | Promise<void>
}

async function tokensIn(
  data: TaskData,
  context: Context,
  setup: PrepareSetup,
): Promise<OpenTokens> {
  const { preprocessor: tokenizer, options } = context
  if (!data.paths.some(holdsRows)) {
    const encoding = data.rowOptions?.encoding
    const files = findTextFiles([...data.paths])
    const tokens = await tokensOfFiles(files, encoding, tokenizer, setup)
    return { tokens, close: (): void => tokens.close() }
  }
  const task = joinedTokens(tokenizer, options.textColumn)
  // the tokens do not depend on the context length, so the cache key must not either
  const made = { kind: { name: task.name }, task, context: { ...context, contextLength: 0 } }
  const prepared = await prepareExamples(data, made, setup)
  const { vocabSize } = tokenizer
  const source = new JoinedExamples(prepared.examples)
  return {
    tokens: TokenDataset.fromSource(source, { vocabSize, documents: [0] }),
    close: async () => prepared.close?.(),
  }
}

async function tokensOfFiles(
  files: string[],
  encoding: string | undefined,
  tokenizer: Tokenizer,
  { cacheDir, onProgress, signal }: PrepareSetup,
): Promise<TokenDataset> {
  const { bytes } = await stateOfFiles(files)
  const threads = threadsFor(bytes / 3) // text is encoded about three times as fast as rows
  const byThreads = (texts: Iterable<string>) =>
    encodeTexts(texts, tokenizer, { threads, cacheDir })
  return prepareTokens({
    files,
    encoding,
    tokenizer,
    cacheDir,
    encode: threads > 0 ? byThreads : undefined,
    onProgress: ({ stage, done, total }) => {
      if (signal?.aborted) throw stopped()
      onProgress?.(stage === 'read' ? 'Checking text' : 'Encoding text', done, total)
    },
  })
}
