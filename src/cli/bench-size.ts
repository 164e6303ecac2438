// The model sizes of `heed bench`.
import { divisorsNear } from '../util/divisors.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { suggestion } from './print-error.ts'

export interface Size {
  layers: number
  heads: number
  dim: number
  context: number
  batch: number
  vocab: number
}

export const PRESETS: Record<string, Size> = {
  small: { layers: 4, heads: 4, dim: 128, context: 64, batch: 12, vocab: 65 },
  nanogpt: { layers: 6, heads: 6, dim: 384, context: 256, batch: 8, vocab: 65 },
  gpt2: { layers: 12, heads: 12, dim: 768, context: 128, batch: 1, vocab: 50257 },
}

/** Maximum number of tokens in a training step. */
const MOST_TOKENS = 2 ** 24

/** Number of unmeasured steps. */
export const WARM_UP = 2

/** The size of a preset with changes. @throws HeedError if it does not fit */
export function benchSize(preset: string, given: Partial<Size>, steps: number): Size {
  const names = Object.keys(PRESETS)
  if (!names.includes(preset))
    throw new HeedError('unknown-name', `There is no preset '${preset}'`, {
      key: 'preset',
      value: preset,
      remedy: suggestion(preset, names),
    })
  const size = { ...PRESETS[preset], ...given }
  if (size.dim % size.heads !== 0)
    throw invalidOption({
      key: 'heads',
      value: size.heads,
      expected: `a divisor of \`dim\` (${size.dim})`,
      try: { heads: divisorsNear(size.dim, size.heads) },
    })
  const mostRows = Math.max(1, Math.floor(MOST_TOKENS / size.context))
  if (size.batch > mostRows)
    throw invalidOption({
      key: 'batch',
      value: size.batch,
      expected: `at most ${mostRows} in a context of ${size.context}`,
      try: { batch: [mostRows] },
    })
  const most = size.context - WARM_UP - 1
  if (steps > most)
    throw invalidOption({
      key: 'steps',
      value: steps,
      expected: `at most ${Math.max(0, most)} in a context of ${size.context}`,
      try: most > 0 ? { steps: [most] } : { context: [steps + WARM_UP + 1] },
    })
  return size
}
