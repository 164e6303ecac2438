// Intended differences between Heed and transformers in the validation of config.json, with reasons.
import { answerOf } from './config-keys.ts'

/** The reason for an intended difference; undefined if the difference is a bug. */
export function exceptionOf(
  kind: 'refused' | 'opened' | 'different',
  family: string,
  key: string,
  value: unknown,
): string | undefined {
  if (kind === 'opened') {
    if (answerOf(family, key, value) !== 'obeyed') return 'keys without effect are not checked'
    if (typeof value === 'number') return 'JSON has one type of numbers: 1 is 1.0'
    if (value === null) return 'null means the default'
    return undefined
  }
  if (key === 'is_encoder_decoder') return 'encoder-decoders ignore the key, with a warning'
  if (kind === 'different') return undefined
  if (/dropout|pdrop/.test(key) && typeof value === 'number' && (value < 0 || value > 1))
    return 'probabilities are between 0 and 1'
  if (/layers?$/.test(key) && Number(value) <= 0) return 'a model has at least one layer'
  if (/size|window|head_dim|local_attention|interval/.test(key) && Number(value) <= 0)
    return 'sizes are at least 1'
  if (/act/.test(key)) return 'names of activations are checked for every head'
  if (/label/.test(key)) return 'a classifier has a label'
  if (typeof value === 'boolean') return 'booleans are not numbers'
  if (/max_position|n_positions/.test(key)) return 'texts are at most as long as the positions'
  if (key === 'relative_attention_max_distance')
    return 'the maximum distance must exceed the exact buckets'
  return undefined
}
