// The flags that say how tokens are chosen, for every command that writes text.
import type { Command } from 'commander'
import { type LogitsProcessor, repetitionPenalty, type SamplingOptions } from '../generate/index.ts'
import { number, whole } from './options.ts'

export interface SamplingFlags {
  temperature: number
  topK: number
  topP: number
  minP: number
  repetitionPenalty: number
  seed?: number
}

export function addSamplingFlags(command: Command, { temperature = 0.8, minP = 0 } = {}): Command {
  return command
    .option(
      '--temperature <number>',
      '0 takes the likeliest token, 1 samples as the model says',
      number,
      temperature,
    )
    .option('--top-k <number>', 'only among the k likeliest tokens, 0 for all', whole, 0)
    .option('--top-p <number>', 'only among the likeliest that make up this probability', number, 1)
    .option(
      '--min-p <number>',
      'only among tokens with this share of the top probability',
      number,
      minP,
    )
    .option('--repetition-penalty <number>', 'above 1 avoids what was written already', number, 1)
    .option('--seed <number>', 'the same seed writes the same text', whole)
}

export function samplingOf({
  temperature,
  topK,
  topP,
  minP,
  repetitionPenalty: penalty,
  seed,
}: SamplingFlags): SamplingOptions & { processors: LogitsProcessor[] } {
  const processors = penalty === 1 ? [] : [repetitionPenalty(penalty)]
  return { temperature, topK, topP, minP, seed, processors }
}
