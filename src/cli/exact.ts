// The flag --exact of commands that generate text: it dequantizes weights when the model is opened.
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

/**
 * Opens the model of a folder or file. Quantized weights stay quantized unless `exact`.
 * @throws HeedError for a model that was trained for another kind of head
 */
export async function openModel<H extends 'causal-lm' | 'seq2seq-lm'>(
  path: string,
  head: H,
  { exact = false }: ExactFlag,
): Promise<Heads[H]> {
  const trained = headOf(await readModelConfig(path))
  // A checkpoint of an encoder has no head, so any head fits; another head was trained for another task.
  if (trained !== head && trained !== 'encoder') throw cannotWrite(path, trained)
  return fromPretrained(path, head, { keepBlocks: !exact })
}

const cannotWrite = (path: string, trained: Head): HeedError =>
  new HeedError(
    'unsupported',
    `${path} must be a model that writes text, got a model trained to ${ABILITIES[trained]}`,
    { value: path, remedy: `Use: heed predict ${shellWord(path)}` },
  )
