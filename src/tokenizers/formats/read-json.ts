import { z } from 'zod'
import { joinWithSpaces } from '../encode/decoders.ts'
import '../encode/bpe-model.ts'
import '../encode/moses.ts'
import '../encode/moses-decoder.ts'
import '../encode/normalizers.ts'
import '../encode/post-processors.ts'
import '../encode/pre-tokenizers.ts'
import { tokenizerStep } from '../encode/register-step.ts'
import { tokenId } from '../encode/settings.ts'
import type {
  Decoder,
  Normalizer,
  PostProcessor,
  PreTokenizer,
  WordModel,
} from '../encode/steps.ts'
import '../encode/symbol-bpe.ts'
import '../encode/unigram-model.ts'
import '../encode/word-models.ts'
import { schemaError } from '../schema-error.ts'
import type {
  AddedTokenJson,
  ComponentJson,
  TokenizerConfig,
  TokenizerJson,
} from './tokenizer-json.ts'

/** The steps of a tokenizer. */
export interface Pipeline {
  normalizer: Normalizer | undefined
  preTokenizer: PreTokenizer | undefined
  model: WordModel
  postProcessor: PostProcessor
  decoder: Decoder
}

/**
 * Validates the contents of a `tokenizer.json` and builds its steps. Files are untrusted, so everything that encoding
 * relies on is checked here.
 * @throws HeedError that names the invalid key
 */
export function readTokenizerJson(
  value: unknown,
  source: string,
): { json: TokenizerJson & { added_tokens: AddedTokenJson[] }; pipeline: Pipeline } {
  const json = parse(file, value, source)
  const model = { ...json.model, type: json.model.type ?? modelTypeOf(json.model) }
  const steps = parse(pipeline, { ...json, model }, source)
  return {
    json,
    pipeline: {
      normalizer: steps.normalizer ?? undefined,
      preTokenizer: steps.pre_tokenizer ?? undefined,
      model: steps.model,
      postProcessor: steps.post_processor ?? {},
      decoder: steps.decoder ?? joinWithSpaces,
    },
  }
}

/** Validates the contents of a `tokenizer_config.json`. Settings with a wrong type are dropped. */
export function readTokenizerConfig(value: unknown, source: string): TokenizerConfig {
  const { max_len, ...config } = parse(settings, value, source)
  const { model_max_length = max_len } = config
  return model_max_length === undefined ? config : { ...config, model_max_length }
}

/** An entry of `added_tokens`. */
export const addedToken = z.looseObject({
  id: tokenId,
  content: z.string().min(1),
  single_word: z.boolean().optional(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  normalized: z.boolean().optional(),
  special: z.boolean().optional(),
})

const MAX_DEPTH = 64 // nested steps; published files have 3 levels

const component = z
  .looseObject({ type: z.string().optional() })
  .refine((step) => !isDeeper(step, MAX_DEPTH), {
    error: `an object of at most ${MAX_DEPTH} levels`,
  })

const optionalComponent = component.nullish().transform((value) => value ?? null)

/** Schema of the file. Each step validates its own settings. */
const file = z.looseObject({
  version: z.string().optional(),
  truncation: z.unknown().optional(),
  padding: z.unknown().optional(),
  added_tokens: z
    .array(addedToken)
    .nullish()
    .transform((value) => value ?? []),
  normalizer: optionalComponent,
  pre_tokenizer: optionalComponent,
  post_processor: optionalComponent,
  decoder: optionalComponent,
  model: z.looseObject({ type: z.string().optional() }),
})

const pipeline = z.object({
  normalizer: tokenizerStep('normalizer').nullable(),
  pre_tokenizer: tokenizerStep('pre_tokenizer').nullable(),
  post_processor: tokenizerStep('post_processor').nullable(),
  decoder: tokenizerStep('decoder').nullable(),
  model: tokenizerStep('model'),
})

const tokenSetting = z.union([z.string(), z.looseObject({ content: z.string() })]).nullable()
const optionalToken = tokenSetting.optional().catch(undefined)
const optionalFlag = z.boolean().optional().catch(undefined)

const settings = z.looseObject({
  tokenizer_class: z.string().optional().catch(undefined),
  model_max_length: z.number().optional().catch(undefined),
  max_len: z.number().optional().catch(undefined), // of older folders
  bos_token: optionalToken,
  eos_token: optionalToken,
  unk_token: optionalToken,
  sep_token: optionalToken,
  pad_token: optionalToken,
  cls_token: optionalToken,
  mask_token: optionalToken,
  clean_up_tokenization_spaces: optionalFlag,
})

function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  source: string,
): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true, jitless: true })
  if (result.success) return result.data
  throw schemaError(result.error, source)
}

/** The type of a model, which files of older versions of `tokenizers` do not state. */
function modelTypeOf(model: ComponentJson): string {
  if (Array.isArray(model.vocab)) return 'Unigram'
  if (model.merges !== undefined) return 'BPE'
  return model.continuing_subword_prefix === undefined ? 'WordLevel' : 'WordPiece'
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((child) => isDeeper(child, levels - 1))
}
