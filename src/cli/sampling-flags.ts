// The sampling flags of commands that generate text.
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

/** Defaults for flags that are omitted and that the model's generation_config.json does not set either. */
export interface SamplingDefaults {
  temperature: number
  topK?: number
  minP?: number
}

export function addSamplingFlags(
  command: Command,
  { temperature, minP = 0 }: SamplingDefaults,
): Command {
  return command
    .option(
      '--temperature <number>',
      `sampling temperature; 0: always choose the most likely token ${orElse(temperature)}`,
      number,
    )
    .option(
      '--top-k <number>',
      `sample from the k most likely tokens; 0: from all tokens ${orElse(0)}`,
      wholeNumber,
    )
    .option(
      '--top-p <number>',
      `sample from the most likely tokens that add up to this probability ${orElse(1)}`,
      number,
    )
    .option(
      '--min-p <number>',
      `sample from tokens with at least this fraction of the highest probability ${orElse(minP)}`,
      number,
    )
    .option(
      '--repetition-penalty <number>',
      `penalty for tokens that have occurred; above 1 makes them less likely ${orElse(1)}`,
      number,
    )
    .option('--seed <number>', 'random seed; the same seed gives the same text', wholeNumber)
}

/** The default in the description of a flag. */
export const orElse = (value: number): string =>
  `(default: as in generation_config.json, or ${value})`

export function samplingOf(
  { temperature, topK, topP, minP, repetitionPenalty: repetition_penalty, seed }: SamplingFlags,
  defaults: SamplingDefaults & { maxTokens: number },
): SamplingOptions & Pick<ModelOptions, 'defaults'> & { generationConfig: GenerationSettings } {
  const generationConfig = repetition_penalty === undefined ? {} : { repetition_penalty }
  return { temperature, topK, topP, minP, seed, defaults, generationConfig }
}
