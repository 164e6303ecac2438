// What tasks on conversations share: a tokenizer with a chat template, new tokens for it, and conversations that fit.
import { z } from 'zod'
import { type Examples, firstExamples, type Row, selectExamples } from '../../data/index.ts'
import { readModelConfig } from '../../models/index.ts'
import { type Tokenizer, withChatTemplate } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import type { ConfigContext, DataSetup } from '../task.ts'
import { conversationOf } from './chat-rows.ts'
import type { TooLong } from './conversation.ts'
import { textTokenizer } from './text-tokenizer.ts'

/** Facts about the model to tune: the number of its tokens; null for a new model. */
export type ChatFacts = { vocabSize: number | null }

/** The keys of a task that tunes a model for conversations. */
export const overChatModel = {
  facts: z.object({ vocabSize: z.int().nullable() }),
  async survey({ from }: Pick<DataSetup, 'from'>): Promise<ChatFacts> {
    const { vocab_size: vocabSize } = from === undefined ? {} : Object(await readModelConfig(from))
    return { vocabSize: typeof vocabSize === 'number' ? vocabSize : null }
  },
  preprocessor: chatTokenizer,
  modelConfig({
    preprocessor,
    facts,
    options,
  }: ConfigContext<{ template: string | null }, ChatFacts, Tokenizer>): Record<string, unknown> {
    if (options.template === null) return {}
    const { vocabSize, eosTokenId: eos_token_id } = preprocessor
    const isLarger = facts.vocabSize !== null && vocabSize > facts.vocabSize
    return { eos_token_id, ...(isLarger && { vocab_size: vocabSize }) }
  },
}

/** The texts of a row, for training a new tokenizer. */
export const conversationTexts = (row: Row): string[] =>
  conversationOf(row, { complete: true }).map(({ content }) =>
    typeof content === 'string' ? content : JSON.stringify(content),
  )

/** The tokenizer of the model, with the template of the options; chatml for a new model. */
async function chatTokenizer(
  setup: DataSetup<{ template: string | null }>,
  texts: (row: Row) => readonly string[] = conversationTexts,
): Promise<Tokenizer> {
  const { from, options } = setup
  const tokenizer = await textTokenizer(setup, texts)
  const template = options.template ?? (from === undefined ? 'chatml' : null)
  if (template !== null) return withChatTemplate(tokenizer, template)
  if (tokenizer.config.chat_template !== undefined) return tokenizer
  throw new HeedError(
    'unsupported',
    `A model for conversations must have a chat template, got ${from}, which has none`,
    {
      key: 'template',
      value: from,
      remedy: 'Choose one with `template`: chatml, llama3, alpaca or a file with a Jinja template.',
    },
  )
}

/** The length of an example, and whether its start was cut off. Examples that were dropped have the length 0. */
export interface Fitting<E> {
  contextLength: number
  tooLong: TooLong
  length(example: E): number
  isCut(example: E): boolean
}

/**
 * Removes the examples that were dropped because they are too long, and reports how many were dropped or cut.
 * @throws HeedError if all were dropped
 */
export function keepFitting<E>(
  all: Examples<E>,
  { contextLength, tooLong, length, isCut }: Fitting<E>,
  remarks: Set<string>,
): Examples<E> {
  const lengths = all.lengths ?? firstExamples(all).map(length)
  const numbers = Uint32Array.from({ length: all.length }, (_, i) => i)
  const kept = numbers.filter((i) => lengths[i] > 0)
  if (kept.length === 0)
    throw new HeedError(
      'invalid-data',
      `At least one conversation must have at most ${contextLength} tokens, got ${all.length} longer ones`,
      {
        key: 'context',
        value: contextLength,
        remedy: 'Increase `context`, or set `tooLong` to cut.',
      },
    )
  const examples = kept.length === all.length ? all : selectExamples(all, kept)
  const count = (some: number): string => `${some} of ${all.length} conversations`
  const dropped = all.length - kept.length
  if (dropped > 0) remarks.add(`${count(dropped)} dropped, with more than ${contextLength} tokens`)
  const cut = tooLong === 'cut' ? firstExamples(examples).filter(isCut).length : 0
  if (cut > 0) remarks.add(`${count(cut)} cut at the start, to ${contextLength} tokens`)
  return examples
}
