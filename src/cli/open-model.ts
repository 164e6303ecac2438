// The flags of commands that generate text which decide how the model is opened.
import type { Command } from 'commander'
import { loadAdapters } from '../adapt/index.ts'
import { ABILITIES } from '../models/heads/heads.ts'
import { fromPretrained, type Head, type Heads, headOf } from '../models/index.ts'
import { readModelConfig } from '../models/weight-file.ts'
import { type Module, type QuantizeFormat, quantize } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import { shellWord } from '../util/shell.ts'
import { type AdapterFlags, addAdapterFlags } from './adapter-flags.ts'

export interface OpenFlags extends AdapterFlags {
  exact?: boolean
  quantize?: QuantizeFormat
}

export const addOpenFlags = (command: Command): Command =>
  addAdapterFlags(
    command.option(
      '--exact',
      'dequantize the weights of a GGUF file and compute in f32: slower, with more memory',
    ),
  )

/**
 * Opens the model of a folder or file. Quantized weights stay quantized unless `exact`.
 * @throws HeedError for a model that was trained for another kind of head
 */
export async function openModel<H extends 'causal-lm' | 'seq2seq-lm'>(
  path: string,
  head: H,
  { exact = false, quantize: format, adapter, base }: OpenFlags,
): Promise<Heads[H]> {
  const trained = headOf(await readModelConfig(path))
  // A checkpoint of an encoder has no head, so any head fits; another head was trained for another task.
  if (trained !== head && trained !== 'encoder') throw cannotWrite(path, trained)
  const opened = await fromPretrained(path, head, { keepBlocks: !exact, base })
  const model: Module = opened
  if (format) await quantize(model, format)
  if (adapter) await loadAdapters(model, adapter)
  return opened
}

const cannotWrite = (path: string, trained: Head): HeedError =>
  new HeedError(
    'unsupported',
    `${path} must be a model that writes text, got a model trained to ${ABILITIES[trained]}`,
    { value: path, remedy: `Use: heed predict ${shellWord(path)}` },
  )
