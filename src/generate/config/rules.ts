import {
  badWords,
  decayLength,
  forceBegin,
  forceEnd,
  type LogitsProcessor,
  minLength,
  minNewTokens,
  noRepeatNgrams,
  noSourceNgrams,
  removeInvalidValues,
  repetitionPenalty,
  sequenceBias,
  sourceRepetitionPenalty,
  suppressTokens,
} from '../processors/index.ts'
import type { GenerationConfig } from './generation-config.ts'

/** Creates the logits processors of a config, in the order in which transformers applies them. */
export function rulesOf(
  config: GenerationConfig,
  { stopTokens, maxTokens }: { stopTokens: readonly number[]; maxTokens: number },
): LogitsProcessor[] {
  const rules: LogitsProcessor[] = []
  const add = <T>(value: T | null | undefined, rule: (value: T) => LogitsProcessor): void => {
    if (value !== null && value !== undefined) rules.push(rule(value))
  }
  add(filled(config.sequence_bias), sequenceBias)
  add(not(1, config.encoder_repetition_penalty), sourceRepetitionPenalty)
  add(not(1, config.repetition_penalty), repetitionPenalty)
  add(not(0, config.no_repeat_ngram_size), noRepeatNgrams)
  add(not(0, config.encoder_no_repeat_ngram_size), noSourceNgrams)
  add(filled(config.bad_words_ids), badWords)
  if (config.min_new_tokens != null) rules.push(minNewTokens(config.min_new_tokens, stopTokens))
  else add(not(0, config.min_length), (length) => minLength(length, stopTokens))
  const begin = config.forced_bos_token_id?.[0]
  add(begin, forceBegin)
  if (Number.isFinite(maxTokens) && maxTokens > 0)
    add(filled(config.forced_eos_token_id), (tokens) => forceEnd(maxTokens, tokens))
  if (config.remove_invalid_values) rules.push(removeInvalidValues())
  add(config.exponential_decay_length_penalty, ([start, factor]) =>
    decayLength(start, factor, stopTokens),
  )
  add(filled(config.suppress_tokens), (tokens) => suppressTokens(tokens))
  add(filled(config.begin_suppress_tokens), (tokens) =>
    suppressTokens(tokens, { atBegin: true, forced: begin === undefined ? 0 : 1 }),
  )
  return rules
}

const not = (usual: number, value: number | null | undefined): number | undefined =>
  value === usual || value === null ? undefined : value

const filled = <T>(list: T[] | null | undefined): T[] | undefined =>
  list && list.length > 0 ? list : undefined
