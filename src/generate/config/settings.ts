// What a text is generated with: the options of a call, the generation_config.json of the model, and Heed's defaults.
import type { JsonObject } from '../../io/files/json.ts'
import { GENERATION_KEYS } from '../../models/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { unknownKey } from '../../util/check-keys.ts'
import { HeedError } from '../../util/errors.ts'
import type { OptionKinds } from '../../util/options.ts'
import type { BeamOptions } from '../beam-search.ts'
import { type EndOptions, endsOf } from '../ends.ts'
import { maxTime, normalise } from '../processors/index.ts'
import type { SamplingOptions } from '../sampling.ts'
import type { TextTokenizer } from '../text-writer.ts'
import { WRITING, type WriteOptions } from '../write-tokens.ts'
import {
  type GenerationConfig,
  type GenerationSettings,
  parseGenerationConfig,
} from './generation-config.ts'
import { ignoredKeys, warnIgnored } from './ignored.ts'
import { rulesOf } from './rules.ts'
import { isSampled, samplingOf } from './sampling.ts'

/** Options of generation by a model, which follows its generation_config.json where an option is left out. */
export interface ModelOptions extends WriteOptions, Omit<EndOptions, 'stopTokens'> {
  /** Settings by their names in generation_config.json, which replace those of the model. */
  generationConfig?: GenerationSettings
  /** Values for options that neither the call nor the model sets. */
  defaults?: SamplingOptions & { maxTokens?: number }
}

export const MODEL_OPTIONS: OptionKinds<ModelOptions> = {
  ...WRITING,
  stopAtEnd: 'flag?',
  stop: 'texts?',
  generationConfig: 'object?',
  defaults: 'object?',
}

/** Options of the search for the likeliest texts. */
export type SearchOptions = Partial<
  Pick<BeamOptions, 'beams' | 'lengthPenalty' | 'earlyStopping' | 'best'>
>

export const SEARCH_OPTIONS: OptionKinds<SearchOptions> = {
  beams: 'number?',
  lengthPenalty: 'number?',
  earlyStopping: 'any?',
  best: 'number?',
}

export interface SettingsContext {
  /** Left out: stop strings have no effect. */
  tokenizer?: TextTokenizer
  /** Tokens of the longest prompt. */
  promptLength: number
  /** Whether tokens are drawn where nothing says so. */
  samples: boolean
  /** Maximum number of tokens, whatever the settings say. */
  mostTokens?: number
  /** Settings that the caller cannot follow. */
  lacks?: readonly (keyof GenerationConfig)[]
}

export interface Settings {
  /** For the loop that writes tokens, or the search. */
  write: WriteOptions & { maxTokens: number; stopTokens: readonly number[] }
  /** The text ends before these strings. */
  stop: readonly string[]
  search: Required<SearchOptions>
  /** Scale of classifier-free guidance; 1 for none. */
  guidance: number
  /** Number of texts for each prompt. */
  texts: number
}

/** A model with the settings of its files. */
type ConfiguredModel = { generationConfig?: JsonObject }

/** The settings of a model's files, with those that replace them. */
export function configOf(
  model: ConfiguredModel,
  settings: GenerationSettings = {},
): GenerationConfig {
  checkConfigOf(model, settings)
  return parseGenerationConfig(model.generationConfig, settings)
}

const checkConfigOf = argumentKinds('generationConfigOf', { model: 'object', settings: 'object' })

/** Whether tokens are drawn by request: of the options, or else of the model's files. */
export function isDrawn(model: ConfiguredModel, options: ModelOptions): boolean {
  checkIsDrawn(model, options)
  return isSampled(configOf(model, options.generationConfig), options)
}

const checkIsDrawn = argumentKinds('isDrawn', { model: 'object', options: 'object' })

/**
 * Settings for a call. One warning for each model names what is ignored.
 * @throws HeedError for a prompt that is as long as the config's `max_length`
 */
export function settingsOf(
  model: ConfiguredModel,
  options: ModelOptions & SearchOptions,
  {
    tokenizer,
    promptLength,
    samples,
    mostTokens = Number.POSITIVE_INFINITY,
    lacks = [],
  }: SettingsContext,
): Settings {
  for (const key in options.generationConfig)
    if (!Object.hasOwn(GENERATION_KEYS, key))
      throw unknownKey('generationConfig', key, Object.keys(GENERATION_KEYS))
  const config = configOf(model, options.generationConfig)
  const { defaults = {}, processors = [], signal } = options
  const { maxTokens: usual = 100, ...sampling } = defaults
  const ends = endsOf(config, tokenizer, options)
  const limit = options.maxTokens ?? limitOf(config, promptLength) ?? usual
  const maxTokens = Math.min(limit, mostTokens)
  // A search takes the likeliest tokens.
  const drawn = options.beams === undefined && (config.do_sample ?? samples)
  const lacking = new Set(isSampled(config, options) ? [...lacks, 'num_beams' as const] : lacks)
  const beams = options.beams ?? (lacking.has('num_beams') ? 1 : config.num_beams) ?? 1
  if (beams > 1) lacking.add('guidance_scale')
  if (options.beams !== undefined) lacking.delete('num_beams')
  warnIgnored(model, [
    ...ignoredKeys({ ...model.generationConfig, ...options.generationConfig }),
    ...[...lacking].filter((key) => isSet(config, key)),
  ])
  const texts = config.num_return_sequences ?? 1
  return {
    write: {
      ...samplingOf(config, options, { drawn, ...sampling }),
      maxTokens,
      stopTokens: ends.tokens,
      processors: [
        ...rulesOf(config, { stopTokens: ends.tokens, maxTokens }),
        ...processors,
        ...(config.max_time == null ? [] : [maxTime(config.max_time)]),
        ...(config.renormalize_logits ? [normalise()] : []),
      ],
      signal,
    },
    stop: ends.strings,
    search: {
      beams,
      lengthPenalty: options.lengthPenalty ?? config.length_penalty ?? 1,
      earlyStopping: options.earlyStopping ?? config.early_stopping ?? false,
      best: options.best ?? Math.min(texts, beams),
    },
    guidance: lacking.has('guidance_scale') ? 1 : (config.guidance_scale ?? 1),
    texts,
  }
}

/** A setting that would change the result. */
function isSet(config: GenerationConfig, key: keyof GenerationConfig): boolean {
  const value = config[key]
  return value != null && value !== 1 && !(Array.isArray(value) && value.length === 0)
}

/** The config's limit of new tokens. */
function limitOf(
  { max_new_tokens, max_length }: GenerationConfig,
  promptLength: number,
): number | undefined {
  if (max_new_tokens != null) return max_new_tokens
  if (max_length == null) return undefined
  if (promptLength < max_length) return max_length - promptLength
  throw new HeedError(
    'invalid-option',
    `The prompt must be shorter than max_length in generation_config.json (${max_length}), got ${promptLength} tokens`,
    {
      key: 'maxTokens',
      value: promptLength,
      remedy: 'Set `maxTokens`, which counts new tokens only, or shorten the prompt.',
    },
  )
}
