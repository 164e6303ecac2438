// Text as one sequence of tokens, and windows of it as batches.
import {
  findTextFiles,
  holdsRows,
  JoinedExamples,
  prepareTokens,
  RandomWindows,
  readText,
  SequentialWindows,
  stateOfFiles,
  surveyText,
  TokenDataset,
} from '../../data/index.ts'
import { parseTokenizerSpec, Tokenizer, tokenizerTrainer } from '../../tokenizers/index.ts'
import { encodeTexts } from '../encoding/encode-texts.ts'
import { prepareExamples } from '../encoding/prepare-examples.ts'
import { threadsFor } from '../encoding/threads.ts'
import { stopped } from '../examples.ts'
import type {
  BatchSetup,
  DataSetup,
  Facts,
  RowEncoder,
  TaskContext,
  TaskData,
  TrainingBatches,
} from '../task.ts'
import { textIn } from './text.ts'
import { addTexts, learningProgress } from './text-tokenizer.ts'

type Context = TaskContext<{ textColumn: string }, Facts, Tokenizer>

/** The tokenizer of the fine-tuned model, from a file, or trained; by default characters. */
export async function tokenizerOfText(setup: DataSetup, column: string): Promise<Tokenizer> {
  if (setup.from !== undefined) return Tokenizer.fromFile(setup.from)
  const spec = parseTokenizerSpec(setup.tokenizer ?? 'char')
  if (spec.type === 'file') return Tokenizer.fromFile(spec.path)
  const trainer = tokenizerTrainer({ ...spec, onProgress: learningProgress(setup) })
  const { paths } = setup.data
  if (paths.some(holdsRows))
    await addTexts(trainer, await setup.data.source(), (row) => [textIn(row, column)])
  else {
    const files = findTextFiles([...paths])
    surveyText(files)
    for (const file of files) for (const text of readText(file)) trainer.add(text)
  }
  return trainer.finish()
}

/** Windows at random positions for training, and consecutive ones for validation. */
export async function windowBatches(setup: BatchSetup, made: Context): Promise<TrainingBatches> {
  const { batch: batchSize, seed } = setup
  const { contextLength, preprocessor: tokenizer } = made
  const all = await tokensIn(setup.data, made, setup)
  const other = setup.valData && (await tokensIn(setup.valData, made, setup))
  const tokens = other
    ? { train: all.tokens, validation: other.tokens }
    : all.tokens.split({ fraction: setup.valFraction, seed })
  const train = new RandomWindows(tokens.train, { batchSize, contextLength, seed })
  const looked = validationWindows(tokens.validation, batchSize, contextLength, seed)
  return {
    train,
    size: { train: tokens.train.length, validation: looked ? looked.windows * contextLength : 0 },
    perEpoch: Math.max(1, Math.floor(tokens.train.length / (batchSize * contextLength))),
    validation: looked && { batches: looked, count: looked.stepsPerEpoch },
    heldOut: [],
    charactersPerToken: charactersPerToken(tokens.validation, tokenizer),
    async close() {
      await all.close()
      await other?.close()
    },
  }
}

function validationWindows(
  text: TokenDataset,
  batch: number,
  contextLength: number,
  seed: number,
): SequentialWindows | null {
  if (text.length === 0) return null
  const batchSize = Math.max(1, Math.min(batch, Math.floor((text.length - 1) / contextLength)))
  return new SequentialWindows(text, { batchSize, contextLength, seed, shuffle: true })
}

/** The mean over the text, or over the beginning of a long one. */
function charactersPerToken(text: TokenDataset, tokenizer: Tokenizer): number | undefined {
  const count = Math.min(text.length, 200_000)
  return count === 0 ? undefined : tokenizer.decode(text.read(0, count)).length / count
}

/** The texts of rows, each followed by the end-of-text token, in pieces that are joined later. */
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

/** Number of tokens in a piece, which is read from the file at once. */
const PIECE = 2048

interface OpenTokens {
  tokens: TokenDataset
  close(): void | Promise<void>
}

async function tokensIn(data: TaskData, context: Context, setup: BatchSetup): Promise<OpenTokens> {
  const { preprocessor: tokenizer, options } = context
  if (!data.paths.some(holdsRows)) {
    const tokens = await tokensOfFiles(findTextFiles([...data.paths]), tokenizer, setup)
    return { tokens, close: (): void => tokens.close() }
  }
  const task = joinedTokens(tokenizer, options.textColumn)
  // what the model sees does not bear on the tokens
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
  tokenizer: Tokenizer,
  { cacheDir, onProgress, signal }: BatchSetup,
): Promise<TokenDataset> {
  const { bytes } = await stateOfFiles(files)
  const threads = threadsFor(bytes / 3) // texts are encoded faster than rows, which keep more
  const byThreads = (texts: Iterable<string>) =>
    encodeTexts(texts, tokenizer, { threads, cacheDir })
  return prepareTokens({
    files,
    tokenizer,
    cacheDir,
    encode: threads > 0 ? byThreads : undefined,
    onProgress: ({ stage, done, total }) => {
      if (signal?.aborted) throw stopped()
      onProgress?.(stage === 'read' ? 'Checking text' : 'Encoding text', done, total)
    },
  })
}
