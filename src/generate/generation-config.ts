// generation_config.json of a model folder: the settings that its authors recommend.
import { join } from 'node:path'
import { z } from 'zod'
import { readJsonObject } from '../io/files/json.ts'
import { modelFolder, readConfig } from '../io/hub/hf.ts'
import { parseConfig } from '../models/shared/config.ts'
import type { LogitsProcessor } from './processors/index.ts'
import {
  badWords,
  forceEnd,
  minNewTokens,
  noRepeatNgrams,
  normalise,
  repetitionPenalty,
  suppressTokens,
} from './processors/index.ts'

const id = z.int().min(0)
const ids = z.union([id.transform((token) => [token]), z.array(id)]).nullish()
const count = z.int().min(0).max(2 ** 24).nullish() // biome-ignore format: one line

const schema = z.object({
  num_beams: z.int().min(1).max(1024).nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  max_length: count, // with the token that the decoder starts from
  max_new_tokens: count,
  min_new_tokens: count,
  eos_token_id: ids,
  forced_eos_token_id: ids,
  suppress_tokens: z.array(id).nullish(),
  bad_words_ids: z.array(z.array(id).min(1)).nullish(),
  no_repeat_ngram_size: count,
  repetition_penalty: z.number().positive().nullish(),
  renormalize_logits: z.boolean().nullish(),
})

export interface GenerationDefaults {
  beams: number
  lengthPenalty: number
  earlyStopping: boolean | 'never'
  maxTokens: number
  stopTokens: number[]
  /** The rules for a text of at most `maxTokens` tokens, in transformers' order. */
  processors(maxTokens: number): LogitsProcessor[]
}

/** The settings of a folder; older folders have them in config.json. */
export async function generationDefaults(dir: string): Promise<GenerationDefaults> {
  const modelConfig = await readConfig(dir)
  const { generationConfig } = await modelFolder(dir)
  const given = generationConfig ? await readJsonObject(generationConfig) : {}
  const config = parseConfig(
    schema,
    { ...modelConfig, ...given },
    `generation (${join(dir, NAME)})`,
  )
  const stopTokens = config.eos_token_id ?? []
  const longest = config.max_length == null ? USUAL : Math.max(1, config.max_length - 1)
  return {
    beams: config.num_beams ?? 1,
    lengthPenalty: config.length_penalty ?? 1,
    earlyStopping: config.early_stopping ?? false,
    maxTokens: config.max_new_tokens ?? longest,
    stopTokens,
    processors: (maxTokens) => rulesOf(config, stopTokens, maxTokens),
  }
}

function rulesOf(
  config: z.output<typeof schema>,
  stopTokens: readonly number[],
  maxTokens: number,
): LogitsProcessor[] {
  const rules: LogitsProcessor[] = []
  const penalty = config.repetition_penalty ?? 1
  if (penalty !== 1) rules.push(repetitionPenalty(penalty))
  if (config.no_repeat_ngram_size) rules.push(noRepeatNgrams(config.no_repeat_ngram_size))
  // A stop token is never a bad word.
  const bad = config.bad_words_ids?.filter(
    (word) => word.length > 1 || !stopTokens.includes(word[0]),
  )
  if (bad && bad.length > 0) rules.push(badWords(bad))
  if (config.min_new_tokens) rules.push(minNewTokens(config.min_new_tokens, stopTokens))
  if (config.forced_eos_token_id?.length)
    rules.push(forceEnd(maxTokens, config.forced_eos_token_id[0]))
  if (config.suppress_tokens?.length) rules.push(suppressTokens(config.suppress_tokens))
  if (config.renormalize_logits) rules.push(normalise())
  return rules
}

const NAME = 'generation_config.json'
const USUAL = 200
