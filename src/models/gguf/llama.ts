// Llama and its variants in GGUF files.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import type { GGUFFormat } from './format.ts'
import { ggufRope, shortest } from './rope.ts'

export interface LlamaGGUFOptions {
  architecture: string
  className: string
  /** Keys of config.json that the metadata does not have. */
  fields?: JsonObject
  /** Whether rows of queries and keys are stored as the paper's rotary embeddings need them. Default false. */
  interleaved?: boolean
  /** Default 0. */
  normShift?: number
}

/** The format of a variant of Llama. */
export const llamaGGUF = ({
  architecture,
  className,
  fields = { hidden_act: 'silu' },
  interleaved = false,
  normShift = 0,
}: LlamaGGUFOptions): GGUFFormat => ({
  architecture,
  className,
  config: async (file, name) => ({ ...(await configOfFile(file, name)), ...fields }),
  names: {
    outer: {
      token_embd: 'model.embed_tokens',
      output_norm: 'model.norm',
      output: 'lm_head',
    },
    layers: 'model.layers',
    inner: {
      attn_norm: 'input_layernorm',
      attn_q: 'self_attn.q_proj',
      attn_k: 'self_attn.k_proj',
      attn_v: 'self_attn.v_proj',
      attn_output: 'self_attn.o_proj',
      attn_q_norm: 'self_attn.q_norm',
      attn_k_norm: 'self_attn.k_norm',
      ffn_norm: 'post_attention_layernorm',
      ffn_gate: 'mlp.gate_proj',
      ffn_up: 'mlp.up_proj',
      ffn_down: 'mlp.down_proj',
    },
  },
  interleaved: interleaved ? { attn_q: 'num_attention_heads', attn_k: 'num_key_value_heads' } : {},
  normShift,
})

async function configOfFile(file: GGUFFile, name: string): Promise<JsonObject> {
  const { metadata } = file
  const number = (key: string): number => shortest(metadata.number(`${name}.${key}`))
  const hidden = number('embedding_length')
  const heads = number('attention.head_count')
  const headDim = metadata.number(`${name}.attention.key_length`, hidden / heads)
  refuseUnsupported(file, name, headDim)
  return {
    vocab_size: file.info('token_embd.weight').shape[0],
    hidden_size: hidden,
    intermediate_size: number('feed_forward_length'),
    num_hidden_layers: number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: metadata.number(`${name}.attention.head_count_kv`, heads),
    head_dim: headDim,
    max_position_embeddings: number('context_length'),
    rms_norm_eps: number('attention.layer_norm_rms_epsilon'),
    ...(await ggufRope(file, name, headDim)),
    attention_bias: file.has('blk.0.attn_q.bias'),
    mlp_bias: file.has('blk.0.ffn_up.bias'),
    tie_word_embeddings: !file.has('output.weight'),
    ...tokenIds(file),
  }
}

/** Settings that change the numbers and that the models do not have. */
function refuseUnsupported({ metadata, path }: GGUFFile, name: string, headDim: number): void {
  const refuse = (problem: string): never => {
    throw new HeedError('unsupported', `${path}: ${problem}, which is not supported`, {
      remedy: 'Use a model without it.',
    })
  }
  const experts = metadata.number(`${name}.expert_count`, 0)
  if (experts > 0) refuse(`its layers have ${experts} experts`)
  const valueLength = metadata.number(`${name}.attention.value_length`, headDim)
  if (valueLength !== headDim)
    refuse(`its heads have ${headDim} features of keys and ${valueLength} of values`)
  const rotated = metadata.number(`${name}.rope.dimension_count`, headDim)
  if (rotated !== headDim)
    refuse(`it rotates ${rotated} of the ${headDim} features of a head by position`)
}

function tokenIds({ metadata }: GGUFFile): JsonObject {
  const id = (name: string): number | undefined =>
    metadata.number(`tokenizer.ggml.${name}_token_id`, undefined)
  const ends = [id('eos'), id('eot')].filter((end) => end !== undefined)
  return {
    bos_token_id: id('bos') ?? null,
    eos_token_id: ends.length > 1 ? [...new Set(ends)] : (ends[0] ?? null),
    pad_token_id: id('padding') ?? null,
  }
}
