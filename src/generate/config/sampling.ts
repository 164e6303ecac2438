import type { SamplingOptions } from '../sampling.ts'
import type { GenerationConfig } from './generation-config.ts'

/** The defaults of transformers for a config that sets only `do_sample`. */
const TRANSFORMERS: SamplingOptions = { temperature: 1, topK: 50 }

/**
 * The sampling settings: options have precedence over the config, and the config over `defaults`.
 * @param drawn whether to sample if the options have no temperature
 */
export function samplingOf(
  config: GenerationConfig,
  options: SamplingOptions,
  { drawn, ...defaults }: SamplingOptions & { drawn: boolean },
): SamplingOptions {
  const limits = {
    ...(config.do_sample ? TRANSFORMERS : defaults),
    ...present({
      temperature: config.temperature,
      topK: config.top_k,
      topP: config.top_p === 0 ? SMALLEST : config.top_p,
      minP: config.min_p,
      topH: config.top_h,
      typicalP: config.typical_p === 0 ? undefined : config.typical_p,
      epsilonCutoff: belowOne(config.epsilon_cutoff),
      etaCutoff: belowOne(config.eta_cutoff),
    }),
  }
  return {
    ...limits,
    ...(drawn ? {} : { temperature: 0 }),
    ...present({ ...samplingOptions(options) }),
  }
}

/** Whether the options, or else the config, ask for sampling. */
export const isSampled = ({ do_sample }: GenerationConfig, { temperature }: SamplingOptions) =>
  temperature === undefined ? do_sample === true : temperature > 0

/** A probability that the most likely token always reaches. */
const SMALLEST = 1e-9

/** As in transformers, a cutoff of 1 has no effect. */
const belowOne = (cutoff: number | null | undefined): number | undefined =>
  cutoff === 1 || cutoff === null ? undefined : cutoff

const samplingOptions = (options: SamplingOptions): SamplingOptions => ({
  temperature: options.temperature,
  topK: options.topK,
  topP: options.topP,
  minP: options.minP,
  topH: options.topH,
  typicalP: options.typicalP,
  epsilonCutoff: options.epsilonCutoff,
  etaCutoff: options.etaCutoff,
  seed: options.seed,
})

function present(values: Record<string, number | null | undefined>): SamplingOptions {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  )
}
