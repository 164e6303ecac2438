// The keys of GenerationConfig in transformers 5.24, and how Heed handles each of them.

/** How Heed handles a key of generation_config.json. */
export type KeyAnswer =
  /** Same effect on the text as in transformers. */
  | 'obeyed'
  /** Affects only speed, memory or the form of the result in transformers, not the text. */
  | 'no effect'
  /** Not supported. A warning names it, unless its value is one of `harmless`. */
  | { readonly harmless: readonly unknown[] }

const unlessOneOf = (...harmless: readonly unknown[]): KeyAnswer => ({ harmless })

/** Every key of generation_config.json with the way Heed handles it. */
export const GENERATION_KEYS: Readonly<Record<string, KeyAnswer>> = {
  // Length
  max_length: 'obeyed',
  max_new_tokens: 'obeyed',
  min_length: 'obeyed',
  min_new_tokens: 'obeyed',
  early_stopping: 'obeyed',
  max_time: 'obeyed',
  stop_strings: 'obeyed',
  // Strategy
  do_sample: 'obeyed',
  num_beams: 'obeyed',
  use_mtp: 'no effect',
  // Cache
  use_cache: 'no effect',
  cache_implementation: 'no effect',
  cache_config: 'no effect',
  max_cache_len: 'no effect',
  prefill_chunk_size: 'no effect',
  low_memory: 'no effect',
  // Logits
  temperature: 'obeyed',
  top_k: 'obeyed',
  top_p: 'obeyed',
  min_p: 'obeyed',
  top_h: 'obeyed',
  typical_p: 'obeyed',
  epsilon_cutoff: 'obeyed',
  eta_cutoff: 'obeyed',
  repetition_penalty: 'obeyed',
  encoder_repetition_penalty: 'obeyed',
  length_penalty: 'obeyed',
  no_repeat_ngram_size: 'obeyed',
  encoder_no_repeat_ngram_size: 'obeyed',
  bad_words_ids: 'obeyed',
  renormalize_logits: 'obeyed',
  forced_bos_token_id: 'obeyed',
  forced_eos_token_id: 'obeyed',
  remove_invalid_values: 'obeyed',
  exponential_decay_length_penalty: 'obeyed',
  suppress_tokens: 'obeyed',
  begin_suppress_tokens: 'obeyed',
  sequence_bias: 'obeyed',
  token_healing: unlessOneOf(false),
  guidance_scale: 'obeyed',
  watermarking_config: unlessOneOf(),
  // Results
  num_return_sequences: 'obeyed',
  output_attentions: 'no effect',
  output_hidden_states: 'no effect',
  output_scores: 'no effect',
  output_logits: 'no effect',
  return_dict_in_generate: 'no effect',
  // Special tokens
  pad_token_id: 'no effect', // fills finished texts
  bos_token_id: 'obeyed',
  eos_token_id: 'obeyed',
  decoder_start_token_id: 'obeyed',
  // Drafts: the text is the same without them
  is_assistant: 'no effect',
  num_assistant_tokens: 'no effect',
  num_assistant_tokens_schedule: 'no effect',
  assistant_confidence_threshold: 'no effect',
  prompt_lookup_num_tokens: 'no effect',
  max_matching_ngram_size: 'no effect',
  assistant_early_exit: 'no effect',
  assistant_lookbehind: 'no effect',
  target_lookbehind: 'no effect',
  speculation_type: 'no effect',
  assistant_ensemble_weight: unlessOneOf(),
  // Compilation and serving
  compile_config: 'no effect',
  disable_compile: 'no effect',
  continuous_batching_config: 'no effect',
  // Strategies that transformers 5 has removed
  penalty_alpha: unlessOneOf(0),
  dola_layers: unlessOneOf(),
  diversity_penalty: unlessOneOf(0),
  num_beam_groups: unlessOneOf(1),
  constraints: unlessOneOf(),
  force_words_ids: unlessOneOf(),
  // Metadata of the file
  _from_model_config: 'no effect',
  transformers_version: 'no effect',
  _commit_hash: 'no effect', // in older files
}
