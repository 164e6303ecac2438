import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'
import type { RawConfig } from '../../io/hub/hf.ts'
import { HeedError } from '../../util/errors.ts'
import type { Architecture } from './architectures.ts'
import { ggufRope, shortest } from './rope.ts'

/** What config.json would say, from a GGUF file's metadata. */
export async function ggufConfig(file: GGUFFile, architecture: Architecture): Promise<RawConfig> {
  const { metadata } = file
  const name = metadata.string('general.architecture')
  const number = (key: string): number => shortest(metadata.number(`${name}.${key}`))
  const hidden = number('embedding_length')
  const heads = number('attention.head_count')
  const headDim = metadata.number(`${name}.attention.key_length`, hidden / heads)
  refuseOthers(file, name, headDim)
  return {
    architectures: [architecture.className],
    model_type: architecture.modelType,
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
    ...architecture.fields,
  } as RawConfig
}

/** What would change the numbers and that the models do not have. */
function refuseOthers({ metadata, path }: GGUFFile, name: string, headDim: number): void {
  const refuse = (problem: string): never => {
    throw new HeedError('unsupported', `${path}: ${problem}, which cannot be run`)
  }
  const experts = metadata.number(`${name}.expert_count`, 0)
  if (experts > 0) refuse(`its layers have ${experts} experts`)
  const valueLength = metadata.number(`${name}.attention.value_length`, headDim)
  if (valueLength !== headDim)
    refuse(`its heads have ${headDim} features of keys and ${valueLength} of values`)
  const turned = metadata.number(`${name}.rope.dimension_count`, headDim)
  if (turned !== headDim)
    refuse(`it turns ${turned} of the ${headDim} features of a head by position`)
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
