import type { GGUFFormat } from './format.ts'
import { numberReader, tokenIds } from './metadata.ts'

/** BERT without a head. The files contain text encoders for embeddings. */
export const bertGGUF: GGUFFormat = {
  architecture: 'bert',
  className: 'BertModel',
  config: async (file, name) => {
    const number = numberReader(file, name)
    return {
      vocab_size: file.info('token_embd.weight').shape[0],
      max_position_embeddings: file.info('position_embd.weight').shape[0],
      type_vocab_size: file.info('token_types.weight').shape[0],
      hidden_size: number('embedding_length'),
      intermediate_size: number('feed_forward_length'),
      num_hidden_layers: number('block_count'),
      num_attention_heads: number('attention.head_count'),
      layer_norm_eps: number('attention.layer_norm_epsilon'),
      is_decoder: file.metadata.bool(`${name}.attention.causal`, false),
      ...tokenIds(file),
    }
  },
  names: {
    outer: {
      token_embd: 'embeddings.word_embeddings',
      position_embd: 'embeddings.position_embeddings',
      token_types: 'embeddings.token_type_embeddings',
      token_embd_norm: 'embeddings.LayerNorm',
    },
    layers: 'encoder.layer',
    inner: {
      attn_q: 'attention.self.query',
      attn_k: 'attention.self.key',
      attn_v: 'attention.self.value',
      attn_output: 'attention.output.dense',
      attn_output_norm: 'attention.output.LayerNorm',
      ffn_up: 'intermediate.dense',
      ffn_down: 'output.dense',
      layer_output_norm: 'output.LayerNorm',
    },
  },
  // These tables are added without a lookup, so they must not stay in blocks.
  forms: { position_embd: { expanded: true }, token_types: { expanded: true } },
}
