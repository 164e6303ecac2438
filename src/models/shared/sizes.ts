// The keys of config.json for the sizes of a new model, by kind of architecture.

/** The sizes of a new model. */
export interface Sizes {
  layers: number
  heads: number
  /** Width of states. */
  dim: number
  /** The most tokens that it will see. */
  context: number
  padTokenId: number
}

export type SizeKeys = (sizes: Sizes) => Readonly<Record<string, unknown>>

export const gptSizes: SizeKeys = ({ layers, heads, dim, context }) => ({
  n_positions: context,
  n_embd: dim,
  n_layer: layers,
  n_head: heads,
})

export const llamaSizes: SizeKeys = ({ layers, heads, dim, context }) => ({
  max_position_embeddings: context,
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  num_key_value_heads: heads,
  head_dim: dim / heads,
  intermediate_size: gatedWidth(dim),
})

export const bertSizes: SizeKeys = ({ context, ...sizes }) => ({
  max_position_embeddings: context,
  ...vitSizes({ ...sizes, context }),
})

export const vitSizes: SizeKeys = ({ layers, heads, dim }) => ({
  hidden_size: dim,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * dim,
  initializer_range: narrowDeviation(dim),
})

/** The deviation of BERT's first weights, 0.02 at a width of 768; larger below, where sums have fewer terms. */
export const narrowDeviation = (dim: number): number => 0.02 * Math.sqrt(Math.max(1, 768 / dim))

/** Three matrices with about as many weights as two of four times the width (Shazeer, 2020). */
const gatedWidth = (dim: number): number => Math.ceil((8 * dim) / 3 / 16) * 16
