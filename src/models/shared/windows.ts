// Which layers of a model see a sliding window only, as config.json says it.
import { z } from 'zod'
import { HeedError } from '../../util/errors.ts'
import { few, size } from './config.ts'

const layerTypes = ['full_attention', 'sliding_attention'] as const

/** To be spread into the schema of a config. */
export const windowFields = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: size.nullable().default(4096),
  max_window_layers: z.int().min(0).default(28), // so many layers at the bottom have no window
  layer_types: z.array(z.enum(layerTypes)).nullable().optional(),
  num_hidden_layers: few.default(32),
}

type WindowConfig = z.output<z.ZodObject<typeof windowFields>>

/**
 * How many tokens each of a layer sees; null: all before it.
 * @throws HeedError when `layer_types` has not one entry for each layer, or names a window that is not there
 */
export function windowOf(config: WindowConfig, layer: number): number | null {
  const { layer_types, num_hidden_layers, max_window_layers } = config
  const window = config.use_sliding_window ? config.sliding_window : null
  if (!layer_types) return layer >= max_window_layers ? window : null
  if (layer_types.length !== num_hidden_layers)
    throw new HeedError(
      'invalid-config',
      `layer_types has ${layer_types.length} entries for ${num_hidden_layers} layers`,
    )
  if (layer_types[layer] === 'full_attention') return null
  if (window !== null) return window
  throw new HeedError(
    'invalid-config',
    `layer_types gives layer ${layer} a window, but the config has none`,
    {
      remedy: 'Set use_sliding_window to true, and sliding_window to a number of tokens.',
    },
  )
}
