// `--exact` of the commands that write text: quantised weights become numbers as the model is opened.
import type { Command } from 'commander'
import { fromPretrained, type Heads } from '../models/index.ts'

export interface ExactFlag {
  exact?: boolean
}

export const addExactFlag = (command: Command): Command =>
  command.option(
    '--exact',
    'dequantize the weights of a GGUF file and compute in f32: slower, with more memory',
  )

/** The model of a folder or file, with weights in blocks unless `exact`. */
export const openModel = <H extends 'causal-lm' | 'seq2seq-lm'>(
  path: string,
  head: H,
  { exact = false }: ExactFlag,
): Promise<Heads[H]> => fromPretrained(path, head, { keepBlocks: !exact })
