// The keys of generation_config.json that Heed uses, named as in GenerationConfig of transformers.
import { z } from 'zod'
import type { JsonObject } from '../../io/files/json.ts'
import { HeedError } from '../../util/errors.ts'
import { schemaProblems } from '../../util/schema-issues.ts'

const id = z.int().min(0)
/** One or several ids; negative ids mean none. */
const ids = z
  .union([z.int().transform((token) => [token]), z.array(z.int())])
  .transform((tokens) => tokens.filter((token) => token >= 0))
const count = z
  .int()
  .min(0)
  .max(2 ** 24)
const share = z.number().min(0).max(1)
const factor = z.number().positive()

const schema = z.object({
  max_length: count.nullish(),
  max_new_tokens: count.nullish(),
  min_length: count.nullish(),
  min_new_tokens: count.nullish(),
  max_time: z.number().min(0).nullish(),
  stop_strings: z
    .union([z.string().transform((string) => [string]), z.array(z.string())])
    .nullish(),
  do_sample: z.boolean().nullish(),
  num_beams: z.int().min(1).max(1024).nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  num_return_sequences: z.int().min(1).max(1024).nullish(),
  temperature: z.number().min(0).nullish(),
  top_k: count.nullish(),
  top_p: share.nullish(),
  min_p: share.nullish(),
  top_h: share.nullish(),
  typical_p: share.nullish(),
  epsilon_cutoff: share.nullish(),
  eta_cutoff: share.nullish(),
  repetition_penalty: factor.nullish(),
  encoder_repetition_penalty: factor.nullish(),
  no_repeat_ngram_size: count.nullish(),
  encoder_no_repeat_ngram_size: count.nullish(),
  bad_words_ids: z.array(z.array(id).min(1)).nullish(),
  sequence_bias: z.array(z.tuple([z.array(id).min(1), z.number()])).nullish(),
  suppress_tokens: z.array(id).nullish(),
  begin_suppress_tokens: z.array(id).nullish(),
  guidance_scale: z.number().nullish(),
  forced_bos_token_id: ids.nullish(),
  forced_eos_token_id: ids.nullish(),
  exponential_decay_length_penalty: z.tuple([count, z.number()]).nullish(),
  renormalize_logits: z.boolean().nullish(),
  remove_invalid_values: z.boolean().nullish(),
  bos_token_id: ids.nullish(),
  eos_token_id: ids.nullish(),
  decoder_start_token_id: ids.nullish(),
})

/** Generation settings by their names in generation_config.json. */
export type GenerationSettings = z.input<typeof schema>

/**
 * Checked settings; ids are lists.
 * @interface
 */
export type GenerationConfig = z.output<typeof schema>

/**
 * Checks the settings of a model's files, overridden by the settings of a call.
 * @throws HeedError that lists each key with an invalid value, of the call or of the files
 */
export function parseGenerationConfig(
  files: JsonObject = {},
  given: JsonObject | GenerationSettings = {},
): GenerationConfig {
  const all = { ...files, ...given }
  const result = schema.safeParse(all, { jitless: true })
  if (result.success) return result.data
  const problems = schemaProblems(result.error.issues, all, Object.keys(schema.shape))
  const ofCall = problems.filter(({ key }) => Object.hasOwn(given, key.split('.', 1)[0]))
  if (ofCall.length > 0) {
    const [{ key, value, expected }] = ofCall
    const messages = ofCall.map(({ message }) => message)
    throw new HeedError('invalid-option', messages.join('; '), { key, value, expected })
  }
  const lines = problems.map(({ message }) => `  ${message}`)
  throw new HeedError(
    'invalid-config',
    `generation_config.json has invalid values:\n${lines.join('\n')}`,
    { key: problems[0].key, remedy: 'Correct these keys, or remove them.' },
  )
}
