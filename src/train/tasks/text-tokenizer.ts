// The tokenizer of a new run: that of the model which is fine-tuned, one from a file, or one that is
// learnt from the rows, with the special tokens that its architecture is used with.

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

/** Adds the texts of all rows. @throws HeedError that lists the rows which are wrong */
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

export function learningProgress({ onProgress }: Pick<DataSetup, 'onProgress'>) {
  return ({ stage, done, total }: TokenizerProgress): void =>
    onProgress?.(stage === 'count' ? 'Reading text' : 'Learning the vocabulary', done, total)
}

/** The token that every byte-level vocabulary starts with. */
const END_OF_TEXT = '<|endoftext|>'

/** They come first in the vocabulary, after the end of text. */
const furtherTokens = ({ names }: SpecialTokenOptions): string[] =>
  [...new Set(Object.values(names))].filter((token) => token !== END_OF_TEXT)

/** Keys of config.json about the vocabulary, for a new model. */
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

/** @throws HeedError for a model that reads no text */
function conventionsOf(modelType: string): TokenizerConventions {
  const { tokenizer, title } = modelDefinition(modelType)
  if (tokenizer) return tokenizer
  throw new HeedError(
    'unsupported',
    `${title} must read text to need a tokenizer, but it does not`,
    {
      key: 'model',
      value: modelType,
      remedy: 'Choose a model or a task for text.',
    },
  )
}
