// Sampling flags, for all commands that generate text.
import type { Command } from 'commander'
import { type LogitsProcessor, repetitionPenalty, type SamplingOptions } from '../generate/index.ts'
import { number, wholeNumber } from './options.ts'

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
      'sampling temperature; 0 always chooses the most likely token',
      number,
      temperature,
    )
    .option('--top-k <number>', 'sample from the k most likely tokens; 0: from all', wholeNumber, 0)
    .option(
      '--top-p <number>',
      'sample from the most likely tokens that add up to this probability',
      number,
      1,
    )
    .option(
      '--min-p <number>',
      'sample from tokens with at least this share of the highest probability',
      number,
      minP,
    )
    .option(
      '--repetition-penalty <number>',
      'values above 1 make tokens of the text less likely',
      number,
      1,
    )
    .option(
      '--seed <number>',
      'seed of the sampling; the same seed gives the same text',
      wholeNumber,
    )
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
