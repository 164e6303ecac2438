// Sampling flags, for all commands that generate text.
import type { Command } from 'commander'
import type { GenerationSettings, ModelOptions, SamplingOptions } from '../generate/index.ts'
import { number, wholeNumber } from './options.ts'

export interface SamplingFlags {
  temperature?: number
  topK?: number
  topP?: number
  minP?: number
  repetitionPenalty?: number
  seed?: number
}

/** Flags that are left out follow the model's generation_config.json, and then these defaults. */
export interface SamplingDefaults {
  temperature: number
  minP?: number
}

export function addSamplingFlags(
  command: Command,
  { temperature, minP = 0 }: SamplingDefaults,
): Command {
  return command
    .option(
      '--temperature <number>',
      `sampling temperature; 0 always chooses the most likely token ${orElse(temperature)}`,
      number,
    )
    .option(
      '--top-k <number>',
      `sample from the k most likely tokens; 0: from all ${orElse(0)}`,
      wholeNumber,
    )
    .option(
      '--top-p <number>',
      `sample from the most likely tokens that add up to this probability ${orElse(1)}`,
      number,
    )
    .option(
      '--min-p <number>',
      `sample from tokens with at least this share of the highest probability ${orElse(minP)}`,
      number,
    )
    .option(
      '--repetition-penalty <number>',
      `values above 1 make tokens of the text less likely ${orElse(1)}`,
      number,
    )
    .option(
      '--seed <number>',
      'seed of the sampling; the same seed gives the same text',
      wholeNumber,
    )
}

/** The end of a flag's description. */
export const orElse = (value: number): string =>
  `(default: as in generation_config.json, or ${value})`

export function samplingOf(
  { temperature, topK, topP, minP, repetitionPenalty: repetition_penalty, seed }: SamplingFlags,
  defaults: SamplingDefaults & { maxTokens: number },
): SamplingOptions & Pick<ModelOptions, 'defaults'> & { generationConfig: GenerationSettings } {
  const generationConfig = repetition_penalty === undefined ? {} : { repetition_penalty }
  return { temperature, topK, topP, minP, seed, defaults, generationConfig }
}
