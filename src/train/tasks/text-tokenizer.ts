// The tokenizer of a new run: the tokenizer of the fine-tuned model, a file, or a new tokenizer trained on the rows, with
// the special tokens of the architecture.

import { Mistakes, type Row, type RowSource } from '../../data/index.ts'
import { modelDefinition, type TokenizerConventions } from '../../models/index.ts'
import {
  addSpecialTokens,
  parseTokenizerSpec,
  type SpecialTokenOptions,
  Tokenizer,
  type TokenizerProgress,
  type TokenizerTrainer,
  tokenizerTrainer,
} from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { DataSetup } from '../task.ts'

/** Opens or trains the tokenizer of a new run. */
export async function textTokenizer(
  setup: DataSetup,
  textsOf: (row: Row) => readonly string[],
): Promise<Tokenizer> {
  if (setup.from !== undefined) return Tokenizer.fromFile(setup.from)
  const { spec: usual, vocabulary: _, ...special } = conventionsOf(setup.modelType)
  const spec = parseTokenizerSpec(setup.tokenizer ?? usual)
  if (spec.type === 'file') return Tokenizer.fromFile(spec.path)
  const trainer = tokenizerTrainer({
    ...spec,
    specialTokens: spec.type === 'bpe' ? furtherTokens(special) : [],
    onProgress: learningProgress(setup),
  })
  await addTexts(trainer, await setup.data.source(), textsOf)
  return addSpecialTokens(trainer.finish(), special)
}

/** Adds the texts of all rows to a tokenizer trainer. @throws HeedError that lists the bad rows */
export async function addTexts(
  trainer: TokenizerTrainer,
  source: RowSource,
  textsOf: (row: Row) => readonly string[],
): Promise<void> {
  const mistakes = new Mistakes()
  for await (const row of source.rows(mistakes))
    for (const text of mistakes.attempt(row, () => textsOf(row)) ?? []) trainer.add(text)
  mistakes.throwIfAny()
}

/** Reports the progress of training a tokenizer. */
export function learningProgress({ onProgress }: Pick<DataSetup, 'onProgress'>) {
  return ({ stage, done, total }: TokenizerProgress): void =>
    onProgress?.(stage === 'count' ? 'Reading text' : 'Training the tokenizer', done, total)
}

/** The first token of every byte-level vocabulary. */
const END_OF_TEXT = '<|endoftext|>'

/** The special tokens after the end-of-text token, at the start of the vocabulary. */
const furtherTokens = ({ names }: SpecialTokenOptions): string[] =>
  [...new Set(Object.values(names))].filter((token) => token !== END_OF_TEXT)

/** The keys of config.json about the vocabulary, for a new model. */
export function vocabularyConfig(
  tokenizer: Tokenizer,
  modelType: string,
): Readonly<Record<string, unknown>> {
  const pad_token_id = tokenizer.padTokenId ?? null
  const eos_token_id = tokenizer.eosTokenId ?? null
  const bos_token_id = tokenizer.bosTokenId ?? eos_token_id
  const ids = { vocab_size: tokenizer.vocabSize, pad_token_id, bos_token_id, eos_token_id }
  return conventionsOf(modelType).vocabulary(ids)
}

/** The tokenizer conventions of a model. @throws HeedError for a model that does not read text */
function conventionsOf(modelType: string): TokenizerConventions {
  const { tokenizer, title } = modelDefinition(modelType)
  if (tokenizer) return tokenizer
  throw new HeedError(
    'unsupported',
    `A model for text is required, got ${title}, which does not read text`,
    {
      key: 'model',
      value: modelType,
      remedy: 'Choose a model or a task for text.',
    },
  )
}
