// Prompt tuning: trained vectors before the embeddings of the text (Lester et al., 2021).
import { z } from 'zod'
import { init } from '../nn/index.ts'
import { randint, type Tensor, tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { type ModuleContext, registerAdapter, type UnifiedView } from './method.ts'
import type { Weight } from './places.ts'
import {
  checkModelKeys,
  MODEL_KEYS,
  modelKeys,
  readerOf,
  savedPrefix,
  tableOf,
  tokens,
  VirtualModule,
  wholeModel,
} from './virtual.ts'

/** Vectors before the embeddings. Encoder-decoders have a second half, which peft stores and no model reads. */
export class PromptTokens extends VirtualModule {
  embeddings(): Tensor {
    return this.rows.narrow(0, 0, this.count)
  }
}

const options = z.strictObject({
  tokens,
  init: z
    .enum(['random', 'vocab', 'text'])
    .default('random')
    .describe('values to start from: the normal distribution, tokens of the vocabulary, or `text`'),
  text: z.string().min(1).nullable().default(null).describe('the text to start from, with init=text'),
}) // biome-ignore format: a table

type Options = z.output<typeof options>

/** A prompt in the unified view: a prefix of the first layer. */
export const promptView: UnifiedView = {
  change: 'softmax(x·Wq·Kᵖᵀ)·Vᵖ, where Kᵖ and Vᵖ are computed from the prompt',
  place: 'self-attention of all layers, through the first one',
  form: 'parallel',
  base: '(1 − λ)',
  scale: 'λ',
}

registerAdapter({
  name: 'prompt',
  about: 'trained vectors before the embeddings (Lester et al., 2021)',
  view: promptView,
  options,
  ...wholeModel,
  modules(model, { options }, context) {
    const reader = readerOf('prompt', model, options.tokens)
    const table = tableOf('prompt', reader)
    const rows = options.tokens * reader.model.stackCount
    const values = valuesOf(options, table, rows, context)
    return { prompt: new PromptTokens(reader.model, { count: options.tokens, shape: [rows, table.outputs], values }) } // biome-ignore format: one line
  },
  peft: {
    type: 'PROMPT_TUNING',
    savedPrefix,
    check: checkModelKeys,
    used: [...MODEL_KEYS, 'prompt_tuning_init', 'prompt_tuning_init_text', 'tokenizer_name_or_path', 'tokenizer_kwargs'], // biome-ignore format: one line
    write({ tokens, init: start, text }, adapter) {
      const { base, modules } = adapter
      // peft opens a prompt that started from a text only with the name of the tokenizer.
      const isText = start === 'text' && base !== null
      return {
        ...modelKeys(adapter, tokens, widthOf(modules)),
        prompt_tuning_init: isText ? 'TEXT' : start === 'vocab' ? 'SAMPLE_VOCAB' : 'RANDOM',
        prompt_tuning_init_text: isText ? text : null,
        tokenizer_name_or_path: isText ? base : null,
        tokenizer_kwargs: null,
      }
    },
    read: ({ num_virtual_tokens }) => ({ tokens: num_virtual_tokens }), // trained values replace those to start from
  },
})

/** Width of the stored vectors. */
export const widthOf = (modules: Readonly<Record<string, unknown>>): number => {
  const [part] = Object.values(modules)
  return part instanceof VirtualModule ? part.width : 0
}

function valuesOf(
  { init: start, text }: Options,
  table: Weight,
  rows: number,
  { tokenizer }: ModuleContext,
): Tensor {
  if (start === 'random') return init.normal([rows, table.outputs])
  const ids = start === 'vocab' ? randint(0, table.inputs, [rows]) : tensor(idsOf(text, rows, tokenizer), { dtype: 'i32' }) // biome-ignore format: one line
  return table.weight().take(ids).detach()
}

/** The ids of a text, repeated and cut to the number of rows. */
function idsOf(text: string | null, rows: number, tokenizer: ModuleContext['tokenizer']): number[] {
  if (text === null)
    throw new HeedError('invalid-option', '`text` of prompt must be given with init=text, got none', { key: 'text', value: null, remedy: 'Write it like prompt:init=text,text=Classify the review.' }) // biome-ignore format: one line
  if (!tokenizer)
    throw new HeedError('invalid-option', '`tokenizer` must be given to start a prompt from a text, got none', { key: 'tokenizer', remedy: 'Pass the tokenizer of the model to addAdapter().' }) // biome-ignore format: one line
  const ids = tokenizer.encode(text)
  if (ids.length > 0) return Array.from({ length: rows }, (_, i) => ids[i % ids.length])
  throw new HeedError('invalid-option', '`text` of prompt must have at least one token, got none', { key: 'text', value: text, remedy: 'Write a longer text.' }) // biome-ignore format: one line
}
