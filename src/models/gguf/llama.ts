// Llama and its variants in GGUF files.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import type { GGUFFormat, StoredForm } from './format.ts'
import { numberReader, tokenIds } from './metadata.ts'
import { ggufRope } from './rope.ts'

/** Config keys that are true if the file has this tensor. */
const BIASES = { attention_bias: 'blk.0.attn_q.bias', mlp_bias: 'blk.0.ffn_up.bias' }

/** Differences of a Llama variant in GGUF files. */
export interface LlamaGGUFOptions {
  architecture: string
  className: string
  /** Keys of config.json that are missing in the metadata. */
  fields?: JsonObject
  /** Whether rows of queries and keys are stored in the interleaved layout of the RoPE paper. Default false. */
  interleaved?: boolean
  /** Number that must be added to the weights of norms. Default 0. */
  normShift?: number
  /** Whether rotary embeddings may rotate only a part of a head's features. Default false. */
  partial?: boolean
  /** Config keys for biases that are derived from the tensors of the file. Default none. */
  biases?: readonly (keyof typeof BIASES)[]
}

/** The GGUF format of a Llama variant. */
export const llamaGGUF = ({
  architecture,
  className,
  fields = { hidden_act: 'silu' },
  interleaved = false,
  normShift = 0,
  partial = false,
  biases = [],
}: LlamaGGUFOptions): GGUFFormat => ({
  architecture,
  className,
  config: async (file, name) => ({
    ...(await configOfFile(file, name, { partial, biases })),
    ...fields,
  }),
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
  forms: {
    ...(interleaved && {
      attn_q: { rowOrder: pairsToHalves('num_attention_heads') },
      attn_k: { rowOrder: pairsToHalves('num_key_value_heads') },
    }),
    ...(normShift !== 0 && Object.fromEntries(NORMS.map((name) => [name, { shift: normShift }]))),
  },
})

const NORMS = ['attn_norm', 'ffn_norm', 'output_norm']

/**
 * Llama's files store the rows of each head so that the two features of a rotary pair are adjacent, (0, 1), (2, 3) …;
 * checkpoints use (0, D/2), (1, D/2 + 1) ….
 * @param heads config key of the number of heads
 */
const pairsToHalves =
  (heads: string): StoredForm['rowOrder'] =>
  (rows, config) => {
    const half = rows / Number(config[heads]) / 2
    return (row) => {
      const inHead = row % (2 * half)
      return row - inHead + 2 * (inHead % half) + Math.floor(inHead / half)
    }
  }

async function configOfFile(
  file: GGUFFile,
  name: string,
  { partial, biases }: Required<Pick<LlamaGGUFOptions, 'partial' | 'biases'>>,
): Promise<JsonObject> {
  const { metadata } = file
  const number = numberReader(file, name)
  const hidden = number('embedding_length')
  const heads = number('attention.head_count')
  const headDim = metadata.number(`${name}.attention.key_length`, hidden / heads)
  const rotated = metadata.number(`${name}.rope.dimension_count`, headDim)
  refuseUnsupported(file, name, { headDim, rotated: partial ? headDim : rotated })
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
    ...(rotated !== headDim && { partial_rotary_factor: rotated / headDim }),
    ...Object.fromEntries(biases.map((key) => [key, file.has(BIASES[key])])),
    tie_word_embeddings: !file.has('output.weight'),
    ...tokenIds(file),
  }
}

/** Rejects settings that change the results and that the models do not support. */
function refuseUnsupported(
  { metadata, path }: GGUFFile,
  name: string,
  { headDim, rotated }: { headDim: number; rotated: number },
): void {
  const refuse = (problem: string): never => {
    throw new HeedError('unsupported', `${path}: ${problem}, which is not supported`, {
      remedy: 'Use a model without this feature.',
    })
  }
  const experts = metadata.number(`${name}.expert_count`, 0)
  if (experts > 0) refuse(`its layers have ${experts} experts`)
  const valueLength = metadata.number(`${name}.attention.value_length`, headDim)
  if (valueLength !== headDim)
    refuse(`its heads have ${headDim} features of keys but ${valueLength} of values`)
  if (rotated !== headDim) refuse(`it rotates only ${rotated} of the ${headDim} features of a head`)
}
