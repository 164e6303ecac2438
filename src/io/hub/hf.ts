import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HeedError, shown } from '../../util/errors.ts'
import { shellWord } from '../../util/shell.ts'
import { fileError } from '../files/file-error.ts'
import { describeContent, type FileFormat, formatOf, readHead } from '../files/file-format.ts'
import { isFile } from '../files/is-file.ts'
import { type JsonObject, readJsonObject } from '../files/json.ts'
import { requireIntact } from '../files/verify.ts'
import { wrongFormat } from '../files/wrong-format.ts'
import { WEIGHT_FILES } from '../safetensors/weight-files.ts'
import { isHubName } from './hub.ts'

// A Hugging Face model folder: config.json, weights in model.safetensors (or shards with an index), tokenizer.json for
// text models, and optionally generation_config.json.

export interface ModelFolder {
  config: string
  /** `model.safetensors` or `pytorch_model.bin`, or the index of a sharded checkpoint. */
  weights: string
  tokenizer?: string
  generationConfig?: string
}

/** A config as read from a file. `model_type` is present; the model validates the rest. */
export type RawConfig = JsonObject & {
  /** Name of the family, such as `gpt2`. */
  model_type: string
}

/**
 * Reads the `config.json` of a model folder.
 * @throws HeedError if it is missing or invalid, or if a small file of a run is damaged
 */
export async function readConfig(dir: string): Promise<RawConfig> {
  await requireIntact(dir, { weights: false })
  return readConfigFile(await required(dir, 'config.json'))
}

/** Reads a config from a file with any name. @throws HeedError if it is missing or has no `model_type` */
export async function readConfigFile(path: string): Promise<RawConfig> {
  const config = await readJsonObject(path, { maxBytes: 10e6 })
  const { model_type: type } = config
  if (typeof type === 'string' && type !== '') return config as RawConfig
  throw new HeedError(
    'invalid-config',
    `\`model_type\` in ${path} must be the name of an architecture, got ${shown(type)}`,
    {
      key: 'model_type',
      value: type,
      remedy: 'Set it to the architecture of the model, for example "gpt2".',
    },
  )
}

/** Finds the files of a model folder. @throws HeedError that names a missing file */
export async function modelFolder(dir: string): Promise<ModelFolder> {
  return {
    config: await required(dir, 'config.json'),
    weights: await findWeights(dir),
    tokenizer: await optional(dir, 'tokenizer.json'),
    generationConfig: await optional(dir, 'generation_config.json'),
  }
}

async function findWeights(dir: string): Promise<string> {
  for (const name of WEIGHT_FILES) {
    const path = await optional(dir, name)
    if (path) return path
  }
  const isAdapter = (await optional(dir, 'adapter_config.json')) !== undefined
  const [other] = isAdapter
    ? ['It is an adapter. Name the folder of its base, or merge the two first.']
    : await contentsOf(dir, WEIGHT_FORMATS)
  throw new HeedError('missing-file', `${dir} must contain model.safetensors, got no weights`, {
    value: dir,
    expected: 'model.safetensors',
    remedy: other ?? 'Check that the download is complete.',
  })
}

async function required(dir: string, name: string): Promise<string> {
  const path = await optional(dir, name)
  if (path) return path
  const stats = await stat(dir).catch((error) => {
    if (WEIGHT_FILE.test(dir)) throw fileError(error, 'read', dir)
    if (error.code === 'ENOENT' && isHubName(dir))
      throw new HeedError('missing-file', `${dir} must be a model folder, but does not exist`, {
        value: dir,
        remedy: `If it is a model on the hub, download it first: heed pull ${shellWord(dir)}`,
      })
    throw fileError(error, 'read the model folder', dir)
  })
  if (!stats.isDirectory())
    throw wrongFormat(dir, `a model folder with ${name}, or a GGUF file`, await readHead(dir))
  const [gguf] = await contentsOf(dir, ['gguf', 'lfs'])
  throw new HeedError('missing-file', `${dir} must contain ${name}, got none`, {
    value: dir,
    expected: name,
    remedy: gguf ?? HINT,
  })
}

/** Names of files: no repository on the hub has them. */
const WEIGHT_FILE = /\.(gguf|safetensors|bin)$/i

/** Formats of weight files, and of pointers to them. */
const WEIGHT_FORMATS: readonly FileFormat[] = [
  'safetensors',
  'torch',
  'oldTorch',
  'pickle',
  'gguf',
  'npz',
  'onnx',
  'hdf5',
  'lfs',
]

/** Describes each file with one of these formats: "It has x.gguf, a GGUF file. …" */
async function contentsOf(dir: string, formats: readonly FileFormat[]): Promise<string[]> {
  const names = (await readdir(dir)).slice(0, MOST_FILES)
  const lines = await Promise.all(
    names.map(async (name) => {
      const head = await readHead(join(dir, name)).catch(() => null)
      const format = head && formatOf(head)
      if (!format || !formats.includes(format)) return []
      const { title, remedy } = describeContent(head)
      return [`It has ${name}, ${title}. ${remedy}`]
    }),
  )
  return lines.flat()
}

const MOST_FILES = 200

async function optional(dir: string, name: string): Promise<string | undefined> {
  const path = join(dir, name)
  return (await isFile(path)) ? path : undefined
}

const HINT =
  'Use a folder with config.json, model.safetensors and, for text models, tokenizer.json.'
