// Combines the options of a call, the generation_config.json of the model, and Heed's defaults.
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

/** Options of generation with a model. Omitted options follow the generation_config.json of the model. */
export interface ModelOptions extends WriteOptions, Omit<EndOptions, 'stopTokens'> {
  /** Settings by their names in generation_config.json; they override the settings of the model. */
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

/** Options of beam search. */
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
  /** Without a tokenizer, stop strings have no effect. */
  tokenizer?: TextTokenizer
  /** Number of tokens in the longest prompt. */
  promptLength: number
  /** Whether to sample by default. */
  samples: boolean
  /** Upper bound for the maximum number of tokens. */
  mostTokens?: number
  /** Settings that the caller does not support. */
  lacks?: readonly (keyof GenerationConfig)[]
}

export interface Settings {
  /** Options of `writeTokens` or beam search. */
  write: WriteOptions & { maxTokens: number; stopTokens: readonly number[] }
  /** Stop strings; the text ends before the first of them. */
  stop: readonly string[]
  search: Required<SearchOptions>
  /** Scale of classifier-free guidance; 1 means none. */
  guidance: number
  /** Number of texts per prompt. */
  texts: number
}

/** A model with the settings of its generation_config.json. */
export type ConfiguredModel = {
  /** Contents of generation_config.json. Options of a call override them. */
  generationConfig?: JsonObject
}

/**
 * The generation settings of a model, overridden by `settings`.
 * @throws HeedError that lists keys with invalid values
 */
export function configOf(
  model: ConfiguredModel,
  settings: GenerationSettings = {},
): GenerationConfig {
  checkConfigOf(model, settings)
  return parseGenerationConfig(model.generationConfig, settings)
}

const checkConfigOf = argumentKinds('generationConfigOf', { model: 'object', settings: 'object' })

/** Whether the options, or else the settings of the model, ask for sampling. */
export function isDrawn(model: ConfiguredModel, options: ModelOptions): boolean {
  checkIsDrawn(model, options)
  return isSampled(configOf(model, options.generationConfig), options)
}

const checkIsDrawn = argumentKinds('isDrawn', { model: 'object', options: 'object' })

/**
 * The settings for a call. Warns once per model about settings that are ignored.
 * @throws HeedError for a prompt that is not shorter than `max_length` of the config
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
  // Beam search does not sample.
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

/** Whether a setting would change the result. */
function isSet(config: GenerationConfig, key: keyof GenerationConfig): boolean {
  const value = config[key]
  return value != null && value !== 1 && !(Array.isArray(value) && value.length === 0)
}

/** The maximum number of new tokens of a config. */
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
