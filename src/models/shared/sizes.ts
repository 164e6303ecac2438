// Config keys for the sizes of a new model, by kind of architecture.

/** Sizes of a new model. */
export interface Sizes {
  /** Number of layers. */
  layers: number
  /** Number of attention heads of a layer. */
  heads: number
  /** Width of the hidden states. */
  dim: number
  /** Maximum number of tokens. */
  context: number
  /** Id of the padding token. */
  padTokenId: number
}

/** Returns config keys for sizes. */
export type SizeKeys = (sizes: Sizes) => Readonly<Record<string, unknown>>

/** Config keys of GPT-like models. */
export const gptSizes: SizeKeys = ({ layers, heads, dim, context }) => ({
  n_positions: context,
  n_embd: dim,
  n_layer: layers,
  n_head: heads,
})

/** Config keys of Llama-like models. */
export const llamaSizes: SizeKeys = ({ layers, heads, dim, context }) => ({
  max_position_embeddings: context,
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: heads,
  head_dim: dim / heads,
  intermediate_size: gatedWidth(dim),
})

/** Config keys of BERT-like models. */
export const bertSizes: SizeKeys = ({ context, ...sizes }) => ({
  max_position_embeddings: context,
  ...vitSizes({ ...sizes, context }),
})

/** Config keys of ViT-like models. */
export const vitSizes: SizeKeys = ({ layers, heads, dim }) => ({
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * dim,
  initializer_range: narrowDeviation(dim),
})

/**
 * Standard deviation of initial weights: BERT's 0.02 at width 768, larger for narrower models, whose sums have fewer
 * terms.
 */
export const narrowDeviation = (dim: number): number => 0.02 * Math.sqrt(Math.max(1, 768 / dim))

/** Width for three matrices with about as many weights as two of four times the width (Shazeer, 2020). */
const gatedWidth = (dim: number): number => Math.ceil((8 * dim) / 3 / 16) * 16
