// The keys of config.json that no family reads.
import { type UnreadKeys, unreadKeys } from '../../util/unread-keys.ts'

/** Keys of any family, with which values they change nothing compared with transformers 5.24. */
export const generalKeys: UnreadKeys = {
  ...unreadKeys(
    // What the file is, and who wrote it
    ...[
      'architectures',
      'model_type',
      'auto_map',
      'transformers_version',
      'transformers.js_config',
    ],
    ...[
      '_name_or_path',
      'name_or_path',
      '_commit_hash',
      '_num_labels',
      'tokenizer_class',
      'vocab_file',
    ],
    ...['unsloth_version', 'unsloth_fixed', 'finetuning_task'],
    // How it is computed: everything is float32 here
    ...[
      'dtype',
      'torch_dtype',
      'torchscript',
      'use_bfloat16',
      'use_cache',
      'chunk_size_feed_forward',
    ],
    ...['attn_implementation', '_attn_implementation', '_attn_implementation_autoset'],
    ...[
      '_attn_implementation_internal',
      'experts_implementation',
      '_experts_implementation_internal',
    ],
    ...['gradient_checkpointing', 'tf_legacy_loss', 'pretraining_tp', '_use_flash_attention_2'],
    // What is returned
    ...[
      'output_attentions',
      'output_hidden_states',
      'output_past',
      'return_dict',
      'use_return_dict',
    ],
    ...['output_scores', 'return_dict_in_generate', 'tie_last_hidden_states'],
    // Encoders and decoders: a family is one or the other
    ...['is_encoder_decoder', 'is_decoder', 'cross_attention_hidden_size', 'add_cross_attention'],
    // Read by other code: tokenizers, pipelines, quantised-checkpoint.ts
    ...[
      'quantization_config',
      'compression_config',
      'sep_token_id',
      'cls_token_id',
      'mask_token_id',
    ],
    ...['unk_token_id', 'bos_token_id', 'eos_token_id', 'pad_token_id', 'decoder_start_token_id'],
    ...['tokenizer_model_max_length', 'task_specific_params'],
  ),
  pruned_heads: [{}],
  tie_encoder_decoder: [false],
  tie_word_embeddings: [true, false],
}

/** Settings of generation, which older folders have here and not in generation_config.json. */
export const generationKeys: UnreadKeys = unreadKeys(
  ...['max_length', 'min_length', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups'],
  ...['temperature', 'top_k', 'top_p', 'min_p', 'typical_p', 'diversity_penalty', 'penalty_alpha'],
  ...[
    'repetition_penalty',
    'length_penalty',
    'no_repeat_ngram_size',
    'encoder_no_repeat_ngram_size',
  ],
  ...['bad_words_ids', 'num_return_sequences', 'forced_bos_token_id', 'forced_eos_token_id'],
  ...['remove_invalid_values', 'exponential_decay_length_penalty', 'suppress_tokens'],
  ...['begin_suppress_tokens', 'epsilon_cutoff', 'eta_cutoff', 'encoder_repetition_penalty'],
  ...['num_assistant_tokens', 'num_assistant_tokens_schedule', 'assistant_confidence_threshold'],
  ...['assistant_lookbehind', 'target_lookbehind', 'max_new_tokens', 'min_new_tokens'],
  ...['renormalize_logits', 'max_time', 'stop_strings', 'cache_implementation'],
)
