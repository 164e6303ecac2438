import {
  generateSeq2SeqTexts,
  isDrawn,
  Seq2SeqDecoder,
  type Seq2SeqTextOptions,
} from '../generate/index.ts'
import { SEQ2SEQ_OPTIONS } from '../generate/seq2seq.ts'
import type { Seq2SeqLM } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { checkArgument } from '../util/check-argument.ts'
import type { OptionKinds } from '../util/options.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { BATCH_SIZE, checkBatchSize } from './run-examples.ts'

/** Options of the pipelines 'text2text-generation', 'translation' and 'summarization'. */
export interface TextToTextOptions extends Omit<Seq2SeqTextOptions, 'decoder' | 'best'> {
  /** Number of texts in a batch. Default 8. */
  batchSize?: number
}

const { decoder: _, best: __, ...GENERATE } = SEQ2SEQ_OPTIONS
const TABLE: OptionKinds<TextToTextOptions> = { ...GENERATE, batchSize: BATCH_SIZE }

/** An encoder-decoder with its tokenizers. */
export interface TextToTextSource extends ModelWithTokenizer<Seq2SeqLM> {
  /** The tokenizer of generated texts. Default: `tokenizer`. */
  targetTokenizer?: Tokenizer
}

/** Generates a target text for each source text, in the same order. */
export type TextToText = (
  texts: string | readonly string[],
  options?: TextToTextOptions,
) => Promise<{ generated_text: string }[]>
/** Translates texts; the results are in the same order. */
export type Translation = (
  texts: string | readonly string[],
  options?: TextToTextOptions,
) => Promise<{ translation_text: string }[]>
/** Summarizes texts; the results are in the same order. */
export type Summarization = (
  texts: string | readonly string[],
  options?: TextToTextOptions,
) => Promise<{ summary_text: string }[]>

/** Creates the pipeline 'text2text-generation'. */
export function textToText(source: TextToTextSource): TextToText {
  const write = writer('text2text-generation', source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ generated_text: text }))
}

/** Creates the pipeline 'translation'. */
export function translation(source: TextToTextSource): Translation {
  const write = writer('translation', source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ translation_text: text }))
}

/** Creates the pipeline 'summarization'. */
export function summarization(source: TextToTextSource): Summarization {
  const write = writer('summarization', source)
  return async (texts, options) =>
    (await write(texts, options)).map((text) => ({ summary_text: text }))
}

function writer(
  task: string,
  { model, tokenizer, targetTokenizer = tokenizer }: TextToTextSource,
): (texts: string | readonly string[], options?: TextToTextOptions) => Promise<string[]> {
  const decoder = new Seq2SeqDecoder(model)
  const readOptions = optionReader<TextToTextOptions>(task, TABLE)
  return async (input, given) => {
    const texts = typeof input === 'string' ? [input] : input
    checkArgument(task, 'texts', texts, 'texts')
    const { batchSize = 8, ...options } = readOptions(given)
    const sources = texts.map((text) => tokenizer.encode(text))
    const defaults = { maxTokens: DEFAULT_MAX_TOKENS, ...options.defaults }
    return writeTexts({ model, targetTokenizer, decoder }, sources, {
      ...options,
      defaults,
      batchSize,
    })
  }
}

const DEFAULT_MAX_TOKENS = 200

export interface WriteTextsOptions extends Omit<Seq2SeqTextOptions, 'maxTokens' | 'decoder'> {
  /** Maximum number of tokens in each text, or a function of the length of the longest source in a batch. */
  maxTokens?: number | ((sourceLength: number) => number)
  batchSize: number
}

/** Generates the target text of each source. Sources of similar length share a batch. */
export async function writeTexts(
  {
    model,
    targetTokenizer,
    decoder = new Seq2SeqDecoder(model),
  }: { model: Seq2SeqLM; targetTokenizer: Tokenizer; decoder?: Seq2SeqDecoder },
  sources: readonly (readonly number[])[],
  { maxTokens, batchSize, ...options }: WriteTextsOptions,
): Promise<string[]> {
  checkBatchSize(batchSize)
  model.eval()
  const order = sources.map((_, i) => i)
  // Sampling draws by row, so the order of the texts must not depend on their lengths.
  if (!isDrawn(model, options)) order.sort((a, b) => sources[b].length - sources[a].length)
  const texts = new Array<string>(sources.length)
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.slice(start, start + batchSize)
    const batch = chosen.map((i) => sources[i])
    const longest = batch.reduce((most, { length }) => Math.max(most, length), 0)
    const limit = typeof maxTokens === 'function' ? maxTokens(longest) : maxTokens
    const settings = { ...options, decoder, maxTokens: limit }
    const generated = await generateSeq2SeqTexts(model, targetTokenizer, batch, settings)
    chosen.forEach((i, row) => {
      texts[i] = generated[row]
    })
  }
  return texts
}
