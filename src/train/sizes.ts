// How large a new model is, in the words of each architecture's config.json.
import { HeedError } from '../util/errors.ts'

export interface Sizes {
  layers: number
  heads: number
  dim: number
  context: number
  padTokenId: number
}

/** The keys of config.json for these sizes. @throws HeedError for an architecture that has others */
export function configOfSizes(modelType: string, sizes: Sizes): Record<string, unknown> {
  if (Object.hasOwn(byType, modelType)) return byType[modelType](sizes)
  throw new HeedError('unknown-name', `Sizes of a new '${modelType}' are not known`, {
    remedy: `Known: ${Object.keys(byType).join(', ')}. Others can be fine-tuned, with --from.`,
  })
}

/** The same for the share of activations that are dropped. @throws HeedError where none can be */
export function configOfDropout(modelType: string, share: number): Record<string, number> {
  const keys = Object.hasOwn(dropoutKeys, modelType) ? dropoutKeys[modelType] : []
  if (keys.length === 0 && share > 0)
    throw new HeedError('invalid-option', `A '${modelType}' drops no activations`, {
      remedy: 'Leave out --dropout.',
    })
  return Object.fromEntries(keys.map((key) => [key, share]))
}

const gpt = ({ layers, heads, dim, context }: Sizes) => ({
  n_positions: context,
  n_embd: dim,
  n_layer: layers,
  n_head: heads,
})

const llama = ({ layers, heads, dim, context }: Sizes) => ({
  max_position_embeddings: context,
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: heads,
  head_dim: dim / heads,
  intermediate_size: gated(dim),
})

const bert = ({ layers, heads, dim, context }: Sizes) => ({
  max_position_embeddings: context,
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * dim,
  initializer_range: deviation(dim),
})

/** Of BERT's weights, 0.02 at a width of 768; narrower layers, which add up fewer numbers, have more. */
const deviation = (dim: number): number => 0.02 * Math.sqrt(Math.max(1, 768 / dim))

/** Three matrices with about as many weights as two of four times the width (Shazeer, 2020). */
const gated = (dim: number): number => Math.ceil((8 * dim) / 3 / 16) * 16

const vit = ({ layers, heads, dim }: Sizes) => ({
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * dim,
  initializer_range: deviation(dim),
})

/** Blocks of two convolutions in three stages at most, the last of width `dim`, each twice the one before. */
function resnet({ layers, dim }: Sizes) {
  const stages = Math.min(3, layers)
  return {
    layer_type: 'basic',
    embedding_size: Math.ceil(dim / 2 ** (stages - 1)),
    hidden_sizes: Array.from({ length: stages }, (_, i) => Math.ceil(dim / 2 ** (stages - 1 - i))),
    depths: Array.from({ length: stages }, (_, i) => Math.floor((layers + i) / stages)),
  }
}

const byType: Record<string, (sizes: Sizes) => Record<string, unknown>> = {
  gpt2: gpt,
  'openai-gpt': gpt,
  gpt_neo: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    hidden_size: dim,
    num_layers: layers,
    num_heads: heads,
    attention_types: [[Array.from({ length: layers }, (_, i) => (i % 2 ? 'local' : 'global')), 1]],
  }),
  bloom: ({ layers, heads, dim, context }) => ({
    seq_length: context,
    hidden_size: dim,
    n_layer: layers,
    n_head: heads,
  }),
  llama,
  mistral: llama,
  qwen2: llama,
  qwen3: llama,
  gemma: llama,
  bert,
  // positions are counted from the one behind the id of padding
  roberta: (sizes) => ({
    ...bert(sizes),
    max_position_embeddings: sizes.context + sizes.padTokenId + 1,
    type_vocab_size: 1,
  }),
  distilbert: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    dim,
    n_layers: layers,
    n_heads: heads,
    hidden_dim: 4 * dim,
    initializer_range: deviation(dim),
  }),
  t5: ({ layers, heads, dim }) => ({
    d_model: dim,
    d_kv: dim / heads,
    d_ff: 4 * dim,
    num_layers: layers,
    num_heads: heads,
  }),
  marian: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    d_model: dim,
    encoder_layers: layers,
    decoder_layers: layers,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    encoder_ffn_dim: 4 * dim,
    decoder_ffn_dim: 4 * dim,
    scale_embedding: true,
    init_std: dim ** -0.5, // scaled by √dim, embeddings are as large as positions
  }),
  vit,
  deit: vit,
  resnet,
  seq2seq_rnn: ({ layers, dim, context }) => ({
    max_position_embeddings: context,
    embedding_size: dim,
    hidden_size: dim,
    num_hidden_layers: layers,
  }),
}

const gptDropout = ['resid_pdrop', 'embd_pdrop', 'attn_pdrop']
const bertDropout = ['hidden_dropout_prob', 'attention_probs_dropout_prob']
const llamaDropout = ['attention_dropout']

const dropoutKeys: Record<string, readonly string[]> = {
  gpt2: gptDropout,
  'openai-gpt': gptDropout,
  gpt_neo: ['resid_dropout', 'embed_dropout', 'attention_dropout'],
  bloom: ['hidden_dropout', 'attention_dropout'],
  llama: llamaDropout,
  mistral: llamaDropout,
  qwen2: llamaDropout,
  qwen3: llamaDropout,
  gemma: llamaDropout,
  bert: bertDropout,
  roberta: bertDropout,
  distilbert: ['dropout', 'attention_dropout'],
  t5: ['dropout_rate'],
  marian: ['dropout'],
  vit: bertDropout,
  deit: bertDropout,
  'vit-hybrid': bertDropout,
  seq2seq_rnn: ['dropout'],
}
