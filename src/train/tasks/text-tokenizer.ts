// The tokenizer of a new run: that of the model which is fine-tuned, one from a file, or one that is
// learnt from the rows, with the special tokens that its architecture is used with.

import { Mistakes, type Row, type RowSource } from '../../data/index.ts'
import {
  addSpecialTokens,
  parseTokenizerSpec,
  type SpecialTokenOptions,
  Tokenizer,
  type TokenizerProgress,
  type TokenizerTrainer,
  tokenizerTrainer,
} from '../../tokenizers/index.ts'
import { BERT_NAMES, T5_NAMES } from '../../tokenizers/train/trained-json.ts'
import type { DataSetup } from '../task.ts'

export async function textTokenizer(
  setup: DataSetup,
  textsOf: (row: Row) => readonly string[],
): Promise<Tokenizer> {
  if (setup.from !== undefined) return Tokenizer.fromFile(setup.from)
  const { spec: usual, ...special } = conventionsOf(setup.modelType)
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

/** They come first in the vocabulary, behind the end of text that it always has. */
const furtherTokens = ({ names }: SpecialTokenOptions): string[] =>
  [...new Set(Object.values(names))].filter((token) => token !== END)

/** Keys of config.json about the vocabulary, for a new model. */
export function vocabularyConfig(tokenizer: Tokenizer, modelType: string): Record<string, unknown> {
  const pad_token_id = tokenizer.padTokenId ?? null
  const eos_token_id = tokenizer.eosTokenId ?? null
  const bos_token_id = tokenizer.bosTokenId ?? eos_token_id
  const ids = { vocab_size: tokenizer.vocabSize, pad_token_id, bos_token_id, eos_token_id }
  if (!SEQ2SEQ.includes(modelType)) return ids
  return { ...ids, decoder_start_token_id: pad_token_id, forced_eos_token_id: eos_token_id }
}

interface Conventions extends SpecialTokenOptions {
  /** The vocabulary that is learnt unless another one is asked for. */
  spec: string
}

const BERT: Conventions = {
  spec: 'wordpiece:4096',
  names: BERT_NAMES,
  template: { single: '[CLS] $A [SEP]', pair: '[CLS] $A [SEP] $B:1 [SEP]:1' },
}

/** Padding first: positions are counted from its id on. */
const ROBERTA: Conventions = {
  spec: 'bpe:4096',
  names: {
    pad_token: '<pad>',
    bos_token: '<s>',
    cls_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    unk_token: '<unk>',
    mask_token: '<mask>',
  },
  template: { single: '<s> $A </s>', pair: '<s> $A </s> </s> $B </s>' },
}

const T5: Conventions = {
  spec: 'unigram:4096',
  names: T5_NAMES,
  template: { single: '$A </s>', pair: '$A $B </s>' },
}

const END = '<|endoftext|>'
const DECODER: Conventions = {
  spec: 'bpe:4096',
  names: { bos_token: END, eos_token: END, pad_token: END },
}

const SEQ2SEQ = ['t5', 'marian', 'seq2seq_rnn']

function conventionsOf(modelType: string): Conventions {
  if (modelType === 'bert' || modelType === 'distilbert') return BERT
  if (modelType === 'roberta') return ROBERTA
  if (modelType === 't5') return { ...T5, additional: sentinels(100) }
  return SEQ2SEQ.includes(modelType) ? T5 : DECODER
}

/** What stands for the spans that are taken out (Raffel et al., 2020). */
const sentinels = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `<extra_id_${i}>`)
