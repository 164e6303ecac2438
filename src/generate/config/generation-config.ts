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
  /** Maximum number of tokens of a text, including the prompt. */
  max_length: count.nullish(),
  /** Maximum number of new tokens. It overrides `max_length`. */
  max_new_tokens: count.nullish(),
  /** Minimum number of tokens of a text, including the prompt. */
  min_length: count.nullish(),
  /** Minimum number of new tokens. It overrides `min_length`. */
  min_new_tokens: count.nullish(),
  /** Maximum time for a text, in seconds. */
  max_time: z.number().min(0).nullish(),
  /** Strings that end a text. */
  stop_strings: z
    .union([z.string().transform((string) => [string]), z.array(z.string())])
    .nullish(),
  /** Whether tokens are drawn. Otherwise the most probable one is taken. */
  do_sample: z.boolean().nullish(),
  /** Number of beams; 1 for no beam search. */
  num_beams: z.int().min(1).max(1024).nullish(),
  /** Exponent of the length in the scores of beam search. Above 0 favours long texts. */
  length_penalty: z.number().nullish(),
  /** When beam search ends. See `BeamOptions.earlyStopping`. */
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
  /** Number of texts for each prompt. */
  num_return_sequences: z.int().min(1).max(1024).nullish(),
  /** Divisor of the logits. Below 1 sharpens the probabilities. */
  temperature: z.number().min(0).nullish(),
  /** Sample from the k most probable tokens; 0 for all. */
  top_k: count.nullish(),
  /** Sample from the most probable tokens that reach this probability (Holtzman et al., 2020). */
  top_p: share.nullish(),
  /** Sample from tokens with at least this fraction of the highest probability (Nguyen et al., 2024). */
  min_p: share.nullish(),
  /** Sample from the most probable tokens that hold this share of the entropy (Potraghloo et al., 2025). */
  top_h: share.nullish(),
  /** Sample from the tokens closest to the entropy that reach this probability (Meister et al., 2023). */
  typical_p: share.nullish(),
  /** Sample from tokens with at least this probability (Hewitt et al., 2022). */
  epsilon_cutoff: share.nullish(),
  /** Like `epsilon_cutoff`, with a threshold that decreases with the entropy. */
  eta_cutoff: share.nullish(),
  /** Penalty of tokens that are in the text (Keskar et al., 2019); 1 for none. */
  repetition_penalty: factor.nullish(),
  /** Above 1 favours tokens of the source; 1 has no effect. */
  encoder_repetition_penalty: factor.nullish(),
  /** Size of sequences that do not occur twice in a text (Paulus et al., 2017); 0 for none. */
  no_repeat_ngram_size: count.nullish(),
  /** Size of sequences of the source that do not occur in the target; 0 for none. */
  encoder_no_repeat_ngram_size: count.nullish(),
  /** Sequences of token ids that are never generated. */
  bad_words_ids: z.array(z.array(id).min(1)).nullish(),
  /** Sequences of token ids, each with a number that is added to the score of its last token. */
  sequence_bias: z.array(z.tuple([z.array(id).min(1), z.number()])).nullish(),
  /** Ids of tokens that are never generated. */
  suppress_tokens: z.array(id).nullish(),
  /** Ids of tokens that are not generated first. */
  begin_suppress_tokens: z.array(id).nullish(),
  /** Scale of classifier-free guidance (Sanchez et al., 2023); 1 for none. */
  guidance_scale: z.number().nullish(),
  /** Id of the first generated token of a target text. */
  forced_bos_token_id: ids.nullish(),
  /** Id or ids of the last token of a text of maximum length. */
  forced_eos_token_id: ids.nullish(),
  /** Number of new tokens and factor: the scores of end tokens grow after that number. */
  exponential_decay_length_penalty: z.tuple([count, z.number()]).nullish(),
  /** Whether scores are normalised again after all processors. */
  renormalize_logits: z.boolean().nullish(),
  /** Whether NaN and infinite scores are replaced by finite ones. */
  remove_invalid_values: z.boolean().nullish(),
  /** Id of the token at the start of a text. */
  bos_token_id: ids.nullish(),
  /** Id or ids of the tokens that end a text. */
  eos_token_id: ids.nullish(),
  /** Id of the first token of a decoder. */
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
