// Converts models on disk between formats.

import { existsSync } from 'node:fs'
import { copyFile, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { fileError } from '../io/files/file-error.ts'
import { forgetHashes, HASHES, recordHashes, storedHashes } from '../io/files/hashes.ts'
import { requireIntact } from '../io/files/verify.ts'
import { isGGUF } from '../io/gguf/gguf.ts'
import { modelFolder, type RawConfig, readConfig } from '../io/hub/hf.ts'
import {
  isStoredDType,
  openSafetensors,
  type Safetensors,
  saveSafetensors,
  type TensorToWrite,
} from '../io/safetensors/safetensors.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { openGGUFModel } from './gguf/model.ts'
import { ggufPooling } from './gguf/pooling.ts'
import { TORCH_DTYPES, type WeightDType } from './pretrained.ts'
import { dequantizedWeights } from './quantized-checkpoint.ts'
import { writeSentenceConfig } from './sentence-config.ts'
import type { WeightFile } from './weight-file.ts'

/** Options of `convertModel`. */
export interface ConvertOptions {
  /** Data type of the stored weights. Default: unchanged, or f32 for a GGUF file. */
  dtype?: WeightDType
  /** Maximum number of bytes of weights in one file. Larger models are split into shards. Default 5e9. */
  maxShardBytes?: number
}

const checkConvertModel = argumentKinds('convertModel', {
  source: 'text',
  target: 'text',
  options: optionKinds<ConvertOptions>({ dtype: 'text?', maxShardBytes: 'number?' }),
})

/**
 * Writes a model as a Hugging Face folder. From a GGUF file, it writes config.json, weights, tokenizer.json and
 * tokenizer_config.json with the chat template. From a folder, it copies the files, with weights in another dtype or
 * shard size. Only one tensor at a time is in memory.
 * @throws HeedError if `target` is `source` or a run folder, or a value is too large for f16
 */
export async function convertModel(
  source: string,
  target: string,
  options: ConvertOptions = {},
): Promise<void> {
  checkConvertModel(source, target, options)
  if ((await realpath(source).catch(() => source)) === (await realpath(target).catch(() => target)))
    throw new HeedError(
      'invalid-option',
      `The target must differ from the source, got ${target} for both`,
      {
        key: 'target',
        value: target,
        remedy: 'Choose another target folder.',
      },
    )
  if (existsSync(join(target, 'run.json')))
    throw new HeedError('already-exists', `The target must not be a run folder, got ${target}`, {
      key: 'target',
      value: target,
      remedy: 'Choose another target folder.',
    })
  await ensureDir(target)
  await forgetHashes(target)
  if (await isGGUF(source)) return convertGGUF(source, target, options)
  await requireIntact(source)
  await convertFolder(source, target, options)
}

async function convertGGUF(
  source: string,
  target: string,
  { dtype = 'f32', maxShardBytes }: ConvertOptions,
): Promise<void> {
  const { config, weights } = await openGGUFModel(source)
  try {
    const tensors = weights.names.map((name): TensorToWrite => {
      const { shape } = weights.info(name)
      return { name, dtype, shape, data: () => valuesOf(weights, name) }
    })
    await saveSafetensors(target, tensors, { maxShardBytes })
  } finally {
    await weights.close()
  }
  await writeConfig(target, config, dtype)
  const pooling = await ggufPooling(source)
  if (pooling)
    await writeSentenceConfig(
      target,
      { pooling: [pooling], normalize: true },
      Number(config.hidden_size),
    )
  await (await Tokenizer.fromFile(source)).save(target)
}

async function convertFolder(
  source: string,
  target: string,
  { dtype, maxShardBytes }: ConvertOptions,
): Promise<void> {
  const config = await readConfig(source)
  const { weights } = await modelFolder(source)
  const file = await openSafetensors(weights)
  try {
    // Either the stored bytes, or numbers of another dtype, for which FP8 scales must be applied.
    const plain = dtype === undefined ? file : dequantizedWeights(file, config)
    const tensors = plain.names.map((name) => tensorOf(file, plain, name, dtype))
    await saveSafetensors(target, tensors, { maxShardBytes })
  } finally {
    await file.close()
  }
  await copyRest(source, target)
  const { quantization_config: _, ...dequantized } = config
  await writeConfig(
    target,
    dtype === undefined ? config : { ...dequantized, model_type: config.model_type },
    dtype,
  )
  const hashes = await storedHashes(source)
  if (hashes) await recordHashes(target, (await readdir(target)).filter((name) => Object.hasOwn(hashes, name) || WEIGHTS.test(name))) // biome-ignore format: one line
}

const WEIGHTS = /\.safetensors(\.index\.json)?$/

/** Integers and bools keep their dtype. */
function tensorOf(
  file: Safetensors,
  plain: WeightFile,
  name: string,
  dtype?: WeightDType,
): TensorToWrite {
  const { dtype: stored, shape } = file.info(name)
  if (dtype !== undefined && dtype !== stored && /^b?f\d/.test(stored))
    return { name, dtype, shape, data: () => valuesOf(plain, name) }
  if (isStoredDType(stored)) return { name, dtype: stored, shape, data: () => file.read(name) }
  throw new HeedError(
    'unsupported',
    `The dtype of ${name} in ${file.path} must be one that Heed can read, got ${stored}`,
    { key: name, value: stored, remedy: 'Remove or convert this tensor in Python.' },
  )
}

async function valuesOf(weights: WeightFile, name: string): Promise<Float32Array> {
  const count = weights.info(name).shape.reduce((n, size) => n * size, 1)
  const out = new Float32Array(count)
  for await (const { start, values } of weights.pieces(name)) out.set(values, start)
  return out
}

async function writeConfig(target: string, config: RawConfig, dtype?: WeightDType): Promise<void> {
  const { dtype: _, torch_dtype, ...rest } = config // newer versions of transformers write `dtype`
  const stored = dtype === undefined ? (torch_dtype ?? config.dtype) : TORCH_DTYPES[dtype]
  const all = stored === undefined ? rest : { ...rest, torch_dtype: stored }
  await writeFileAtomic(join(target, 'config.json'), `${JSON.stringify(all, null, 2)}\n`)
}

/**
 * Copies small files such as tokenizer and generation settings. Not run.json and hashes: a copy is not a run that can
 * be resumed.
 */
async function copyRest(source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const { name } = entry
    if (!entry.isFile() || !BESIDE.test(name) || WRITTEN.test(name) || name === HASHES) continue
    await copyFile(join(source, name), join(target, name)).catch((error) => {
      throw fileError(error, 'write', join(target, name))
    })
  }
}

const BESIDE = /^[^.].*\.(json|txt|model|jinja|tiktoken|md)$|^(README|LICENSE)/
const WRITTEN = /^(config|run)\.json$|\.safetensors\.index\.json$|\.bin\.index\.json$/
