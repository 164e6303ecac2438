import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { fileError } from '../files/file-error.ts'
import { type JsonObject, readJsonObject } from '../files/json.ts'
import { isHubName } from './hub.ts'

// A Hugging Face model folder: config.json, weights in model.safetensors (or shards with an
// index), and for text models tokenizer.json; generation_config.json may be there.

export interface ModelFolder {
  config: string
  /** `model.safetensors`, or `model.safetensors.index.json` of a sharded checkpoint. */
  weights: string
  tokenizer?: string
  generationConfig?: string
}

/** A config as read: `model_type` is sure to be there, all else is for the model to check. */
export type RawConfig = JsonObject & { model_type: string }

/** Reads `config.json` of a model folder. */
export async function readConfig(dir: string): Promise<RawConfig> {
  return readConfigFile(await required(dir, 'config.json'))
}

/** Reads a config from a file of any name. */
export async function readConfigFile(path: string): Promise<RawConfig> {
  const config = await readJsonObject(path, { maxBytes: 10e6 })
  const { model_type: type } = config
  if (typeof type === 'string' && type !== '') return config as RawConfig
  const found =
    type === undefined ? 'has no "model_type"' : `has "model_type": ${JSON.stringify(type)}`
  throw new HeedError('missing-file', `${path} ${found}`, {
    remedy: 'It must name the architecture, as in "gpt2".',
  })
}

/** The files of a model folder; what is missing is named, with the reason where one shows. */
export async function modelFolder(dir: string): Promise<ModelFolder> {
  return {
    config: await required(dir, 'config.json'),
    weights: await findWeights(dir),
    tokenizer: await optional(dir, 'tokenizer.json'),
    generationConfig: await optional(dir, 'generation_config.json'),
  }
}

async function findWeights(dir: string): Promise<string> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    const path = await optional(dir, name)
    if (path) return path
  }
  const pickled = (await readdir(dir)).find((name) => /^(pytorch_model.*|.*\.(pt|pth))$/.test(name))
  const remedy = pickled
    ? `It has ${pickled}, a Python pickle: load it in Python and save_pretrained() it as safetensors.`
    : 'Check that the download is complete.'
  throw new HeedError('missing-file', `${dir} has no weights: model.safetensors is missing`, {
    remedy,
  })
}

async function required(dir: string, name: string): Promise<string> {
  const path = await optional(dir, name)
  if (path) return path
  const stats = await stat(dir).catch((error) => {
    if (error.code === 'ENOENT' && isHubName(dir))
      throw new HeedError('unknown-name', `There is no folder ${dir}`, {
        remedy: `If it is a model of the hub, fetch it first: heed pull ${dir}`,
      })
    throw fileError(error, 'read the model folder', dir)
  })
  if (!stats.isDirectory())
    throw new HeedError('corrupt-file', `${dir} is a file; a model is a folder with ${name}`)
  throw new HeedError('corrupt-file', `${dir} is not a model folder: it has no ${name}`, {
    remedy: HINT,
  })
}

async function optional(dir: string, name: string): Promise<string | undefined> {
  const path = join(dir, name)
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? path : undefined
}

const HINT = 'A model folder holds config.json, model.safetensors and, for text, tokenizer.json.'
