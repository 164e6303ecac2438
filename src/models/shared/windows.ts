// Sliding windows in config.json.
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { dimension, layerCount } from './config.ts'

const layerTypes = ['full_attention', 'sliding_attention'] as const

/** Config keys for sliding windows. Spread them into the schema of a config. */
export const windowFields = {
  /** Whether layers use `sliding_window`. */
  use_sliding_window: z.boolean().default(false),
  /** Number of tokens that a token attends to, itself included. Null: no limit. */
  sliding_window: dimension.nullable().default(4096),
  /** Number of lowest layers without a window, if layer_types is null. */
  max_window_layers: z.int().min(0).default(28),
  /** Kind of attention of each layer. Null: derived from `max_window_layers`. */
  layer_types: z.array(z.enum(layerTypes)).nullable().optional(),
  /** Number of layers. */
  num_hidden_layers: layerCount.default(32),
}

type WindowConfig = z.output<z.ZodObject<typeof windowFields>>

/**
 * Returns the size of the sliding window of a layer; null for full attention.
 * @throws HeedError if `layer_types` does not have one entry per layer, or selects a window that the config does not
 * have
 */
export function windowOf(config: WindowConfig, layer: number): number | null {
  const { layer_types, num_hidden_layers, max_window_layers } = config
  const window = config.use_sliding_window ? config.sliding_window : null
  if (!layer_types) return layer >= max_window_layers ? window : null
  if (layer_types.length !== num_hidden_layers)
    throw new HeedError(
      'invalid-config',
      `layer_types must have num_hidden_layers (${num_hidden_layers}) entries, got ${layer_types.length}`,
      { key: 'layer_types', remedy: 'Write full_attention or sliding_attention for each layer.' },
    )
  if (layer_types[layer] === 'full_attention') return null
  if (window !== null) return window
  throw new HeedError(
    'invalid-config',
    `layer_types must be full_attention if the config has no window, got sliding_attention for layer ${layer}`,
    {
      key: 'layer_types',
      remedy: 'Set use_sliding_window to true, and sliding_window to a number of tokens.',
    },
  )
}
