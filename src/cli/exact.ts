// `--exact` of the commands that write text: quantised weights become numbers as the model is opened.
import type { Command } from 'commander'
import { ABILITIES } from '../models/heads/heads.ts'
import { fromPretrained, type Head, type Heads, headOf } from '../models/index.ts'
import { readModelConfig } from '../models/weight-file.ts'
import { HeedError } from '../util/errors.ts'
import { shellWord } from '../util/shell.ts'

export interface ExactFlag {
  exact?: boolean
}

export const addExactFlag = (command: Command): Command =>
  command.option(
    '--exact',
    'dequantize the weights of a GGUF file and compute in f32: slower, with more memory',
  )

/** The model of a folder or file, with weights in blocks unless `exact`. */
export async function openModel<H extends 'causal-lm' | 'seq2seq-lm'>(
  path: string,
  head: H,
  { exact = false }: ExactFlag,
): Promise<Heads[H]> {
  const trained = headOf(await readModelConfig(path))
  // The layers of an encoder are those of all heads; any other head was trained for something else.
  if (trained !== head && trained !== 'encoder') throw cannotWrite(path, trained)
  return fromPretrained(path, head, { keepBlocks: !exact })
}

const cannotWrite = (path: string, trained: Head): HeedError =>
  new HeedError(
    'unsupported',
    `${path} must be a model that writes text, got one that was trained to ${ABILITIES[trained]}`,
    { value: path, remedy: `Use: heed predict ${shellWord(path)}` },
  )
