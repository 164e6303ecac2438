import type { GGUFFormat } from './format.ts'
import { numberReader, tokenIds } from './metadata.ts'

/** GGUF format of GPT-2. Its matrices are stored as those of linear layers. */
export const gpt2GGUF: GGUFFormat = {
  architecture: 'gpt2',
  className: 'GPT2LMHeadModel',
  config: async (file, name) => {
    const number = numberReader(file, name)
    return {
      vocab_size: file.info('token_embd.weight').shape[0],
      n_positions: number('context_length'),
      n_embd: number('embedding_length'),
      n_inner: number('feed_forward_length'),
      n_layer: number('block_count'),
      n_head: number('attention.head_count'),
      layer_norm_epsilon: number('attention.layer_norm_epsilon'),
      tie_word_embeddings: !file.has('output.weight'),
      ...tokenIds(file),
    }
  },
  names: {
    outer: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    layers: 'transformer.h',
    inner: {
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
  },
  forms: {
    attn_qkv: { transposed: true },
    attn_output: { transposed: true },
    ffn_up: { transposed: true },
    ffn_down: { transposed: true },
  },
}
