// Rotary embeddings in GGUF files. Llama 3.1's scaling is stored as divisors of the frequencies (`rope_freqs.weight`),
// but a config contains the parameters of the rule. They are recovered from the divisors and verified.

import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import { shortest } from './metadata.ts'

/**
 * Returns `rope_theta` and, if positions are scaled, `rope_scaling`. @throws HeedError for an unknown kind of scaling
 */
export async function ggufRope(file: GGUFFile, name: string, headDim: number): Promise<JsonObject> {
  const { metadata, path } = file
  const rope_theta = shortest(metadata.number(`${name}.rope.freq_base`, 10_000))
  if (file.has('rope_freqs.weight')) {
    const divisors = await file.read('rope_freqs.weight')
    return { rope_theta, rope_scaling: llama3Rule(divisors, rope_theta, headDim, path) }
  }
  if (file.has('rope_factors_long.weight')) return { rope_theta, ...(await longRope(file, name)) }
  const type = metadata.string(`${name}.rope.scaling.type`, 'none')
  if (type === 'none') return { rope_theta }
  if (type !== 'linear' && type !== 'yarn')
    throw new HeedError(
      'invalid-config',
      `${path}: the scaling of positions must be linear, yarn or that of Llama 3.1, got ${JSON.stringify(type)}`,
      {
        remedy: 'Use the Hugging Face folder that the file was converted from.',
      },
    )
  const factor = shortest(metadata.number(`${name}.rope.scaling.factor`))
  const original = metadata.number(`${name}.rope.scaling.original_context_length`, undefined)
  const rope_scaling: JsonObject = { rope_type: type, factor }
  if (original !== undefined) rope_scaling.original_max_position_embeddings = original
  return { rope_theta, rope_scaling }
}

/** LongRoPE (Ding et al., 2024). The divisors are tensors; the original context length is a separate config key. */
async function longRope(file: GGUFFile, name: string): Promise<JsonObject> {
  const factors = async (texts: string): Promise<number[]> =>
    Array.from(await file.read(`rope_factors_${texts}.weight`), shortest)
  const number = (key: string): number | undefined =>
    file.metadata.number(`${name}.rope.scaling.${key}`, undefined)
  const rope_scaling: JsonObject = {
    rope_type: 'longrope',
    short_factor: await factors('short'),
    long_factor: await factors('long'),
  }
  const [original_max_position_embeddings, scale] = [
    number('original_context_length'),
    number('attn_factor'),
  ]
  if (scale !== undefined) rope_scaling.attention_factor = shortest(scale)
  return original_max_position_embeddings === undefined
    ? { rope_scaling }
    : { rope_scaling, original_max_position_embeddings }
}

/**
 * Recovers the rule of Llama 3 (Dubey et al., 2024): frequencies with less than `low` rotations in the original context
 * length are divided by `factor`, those above `high` by 1.
 */
function llama3Rule(
  divisors: Float32Array,
  theta: number,
  headDim: number,
  path: string,
): JsonObject {
  const [low, high] = [1, 4] // the values of every Llama so far
  const factor = shortest(divisors.reduce((a, b) => Math.max(a, b), 1))
  for (const length of [8192, 4096, 2048, 16384, 32768, 65536, 131072]) {
    const fits = divisors.every((divisor, i) => {
      const turns = (length * theta ** ((-2 * i) / headDim)) / (2 * Math.PI)
      const share = Math.min(1, Math.max(0, (turns - low) / (high - low)))
      return Math.abs(divisor * ((1 - share) / factor + share) - 1) < 1e-4
    })
    if (fits && divisors.length === headDim / 2)
      return {
        rope_type: 'llama3',
        factor,
        low_freq_factor: low,
        high_freq_factor: high,
        original_max_position_embeddings: length,
      }
  }
  throw new HeedError(
    'invalid-config',
    `${path}: rope_freqs must follow the rule of Llama 3, got other values`,
    {
      remedy: 'Use the Hugging Face folder that the file was converted from.',
    },
  )
}
