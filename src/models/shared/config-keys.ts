// Keys of config.json that no family reads.
import { type UnreadKeys, unreadKeys } from '../../util/unread-keys.ts'
import { GENERATION_KEYS } from '../generation-keys.ts'

/** Keys of any family, with the values for which transformers 5.24 gives the same results. */
export const generalKeys: UnreadKeys = {
  ...unreadKeys(
    // Origin of the file
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
    // Execution; Heed always computes in float32
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
    // Outputs
    ...[
      'output_attentions',
      'output_hidden_states',
      'output_past',
      'return_dict',
      'use_return_dict',
    ],
    ...['output_scores', 'return_dict_in_generate', 'tie_last_hidden_states'],
    // Encoder or decoder; fixed by the family
    ...['is_encoder_decoder', 'is_decoder', 'cross_attention_hidden_size', 'add_cross_attention'],
    // Read elsewhere: by tokenizers, pipelines and quantised-checkpoint.ts
    ...[
      'quantization',
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

/** Settings for generation. Older folders have them in config.json rather than generation_config.json. */
export const generationKeys: UnreadKeys = unreadKeys(...Object.keys(GENERATION_KEYS))
