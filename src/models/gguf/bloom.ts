import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFormat } from './format.ts'
import { numberReader, tokenIds } from './metadata.ts'

/** GGUF format of BLOOM. */
export const bloomGGUF: GGUFFormat = {
  architecture: 'bloom',
  className: 'BloomForCausalLM',
  config: async (file, name) => {
    const number = numberReader(file, name)
    return {
      vocab_size: file.info('token_embd.weight').shape[0],
      seq_length: number('context_length'),
      hidden_size: number('embedding_length'),
      n_layer: number('block_count'),
      n_head: number('attention.head_count'),
      layer_norm_epsilon: number('attention.layer_norm_epsilon'),
      tie_word_embeddings: !file.has('output.weight'),
      ...tokenIds(file),
    }
  },
  names: {
    outer: {
      token_embd: 'transformer.word_embeddings',
      token_embd_norm: 'transformer.word_embeddings_layernorm',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    layers: 'transformer.h',
    inner: {
      attn_norm: 'input_layernorm',
      attn_qkv: 'self_attention.query_key_value',
      attn_output: 'self_attention.dense',
      ffn_norm: 'post_attention_layernorm',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
  },
  forms: { attn_qkv: { rowOrder: byHead } },
}

/** Files store q, k and v of all heads one after the other; checkpoints store the three of each head together. */
function byHead(rows: number, config: JsonObject): (row: number) => number {
  const width = rows / Number(config.n_head) / 3
  return (row) => {
    const inHead = row % (3 * width)
    const head = (row - inHead) / (3 * width)
    return Math.floor(inHead / width) * (rows / 3) + head * width + (inHead % width)
  }
}
