import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileError } from '../../io/files/file-error.ts'
import { fileFormat } from '../../io/files/file-format.ts'
import { readJson } from '../../io/files/json.ts'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { requireIntact } from '../../io/files/verify.ts'
import { isGGUF } from '../../io/gguf/gguf.ts'
import { alternatives, HeedError } from '../../util/errors.ts'
import { Tokenizer } from '../tokenizer.ts'
import { autoClass, BACKEND, type ModelSettings } from './auto-class.ts'
import { bertVocabFiles } from './bert-vocab.ts'
import { bpeFiles } from './bpe-files.ts'
import { warnOfConfigKeys, withClassSettings } from './class-settings.ts'
import { withKnownClassTokens } from './classes.ts'
import {
  exists,
  type FolderConfig,
  readBytes,
  readFolderConfig,
  readText,
} from './folder-config.ts'
import { marianFiles } from './marian.ts'
import { readTokenizerConfig } from './read-json.ts'
import { sentencePieceFiles, t5Files } from './sentencepiece.ts'
import { tekkenFiles } from './tekken.ts'
import {
  isTiktokenName,
  TIKTOKEN_ENCODINGS,
  tiktokenFiles,
  tiktokenModelFiles,
} from './tiktoken.ts'
import type { TokenizerConfig } from './tokenizer-json.ts'
import { readTokenizerJsonFile } from './tokenizer-json-file.ts'

/** Options of `Tokenizer.fromFile`. */
export interface LoadTokenizerOptions {
  /** Load the tokenizer of the target language of a Marian model. Default false: the source language. */
  asTarget?: boolean
}

/** Loads a tokenizer from a tokenizer.json, a folder, another supported format, or a GGUF file. */
export async function loadTokenizer(
  path: string,
  { asTarget = false }: LoadTokenizerOptions = {},
): Promise<Tokenizer> {
  if (await isGGUF(path)) {
    const { json, config } = await (await import('./gguf.ts')).readGGUFTokenizer(path)
    return Tokenizer.fromJSON(json, config, path)
  }
  if (!(await isFolder(path))) return loadFile(path, await readFolderConfig(join(path, '..')))
  await requireIntact(path, { weights: false })
  const config = await readFolderConfig(path)
  for (const name of [fastFile(config.config), ...FILES]) {
    if (await exists(join(path, name))) return loadFile(join(path, name), config)
  }
  if (await exists(join(path, 'source.spm'))) return loadMarian(path, config, asTarget)
  if (await exists(join(path, 'merges.txt'))) return loadFile(join(path, 'vocab.json'), config)
  const versioned = (await readdir(path)).filter((name) => /^tokenizer\.model\.\w+$/.test(name))
  if (versioned.length > 0) return loadFile(join(path, versioned.sort().at(-1) ?? ''), config)
  throw new HeedError('missing-file', `${path} must contain a tokenizer.json, got none`, {
    value: path,
    expected: 'a tokenizer.json',
    remedy: `Use a model folder, or a file: ${FILES.join(', ')}, or tiktoken ranks (.tiktoken).`,
  })
}

/** Vocabulary files in order of preference. */
const FILES = [
  'tokenizer.json',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'spm.model',
  'tekken.json',
  'tiktoken.model',
  'vocab.txt',
]

/** The file for the newest version of transformers in `fast_tokenizer_files` of the config. */
function fastFile(config: unknown): string {
  const list: unknown = isJsonObject(config) ? config.fast_tokenizer_files : []
  const names: unknown[] = Array.isArray(list) ? list : []
  const versioned = names.filter((name) => typeof name === 'string' && VERSIONED.test(name))
  return String(versioned.sort().at(-1) ?? 'tokenizer.json')
}

const VERSIONED = /^tokenizer\.[0-9.]+\.json$/

async function loadFile(path: string, { config, added, model }: FolderConfig): Promise<Tokenizer> {
  if (path.endsWith('.tiktoken')) return loadTiktoken(path)
  const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${path}`)
  const files = await filesOf(path, settings, model)
  return Tokenizer.fromJSON(files.json, withAdded(files, added), path)
}

/** Adds the tokens of added_tokens.json to the config if their ids are missing in tokenizer.json. */
function withAdded(
  { json, config }: { json: unknown; config: TokenizerConfig },
  added: Record<string, unknown>,
): TokenizerConfig {
  const tokens: unknown = isJsonObject(json) ? json.added_tokens : []
  const ids = new Set(
    (Array.isArray(tokens) ? tokens : []).map((token: unknown) =>
      String(isJsonObject(token) ? token.id : ''),
    ),
  )
  const missing = Object.entries(added).filter(([id]) => !ids.has(id))
  if (missing.length === 0) return config
  return { ...config, added_tokens_decoder: Object.fromEntries(missing) }
}

interface Files {
  json: unknown
  config: TokenizerConfig
}

async function filesOf(path: string, given: TokenizerConfig, model: ModelSettings): Promise<Files> {
  const config = withAutoClass(given, model)
  const name = basename(path)
  const isJson = name.endsWith('.json') && name !== 'vocab.json' && name !== 'tekken.json'
  if (!isJson) warnOfConfigKeys(config, { file: 'other', source: path })
  const format = await fileFormat(path) // by its first bytes; null for text
  if (format === null && name.endsWith('.txt')) return bertVocabFiles(await readText(path), config)
  if (name === 'vocab.json') {
    return bpeFiles(await readJson(path), await readText(join(path, '..', 'merges.txt')), config)
  }
  if (name === 'tekken.json') return tekkenFiles(await readJson(path), config, path)
  if (format === null && name === 'tiktoken.model')
    return tiktokenModelFiles(await readText(path), config)
  const isModel = format === 'sentencepiece' || (format === null && name.includes('.model'))
  if (!isModel) {
    const classed = { ...config, tokenizer_class: autoClass(given, model) }
    const json = withClassSettings(await readTokenizerJsonFile(path), classed, path)
    const { tokenizer_class = classed.tokenizer_class } = config
    return { json, config: { ...withKnownClassTokens(classed, json), tokenizer_class } }
  }
  const isT5 = name === 'spiece.model' ? /^T5|^$/ : /^T5Tokenizer/
  const read = isT5.test(config.tokenizer_class ?? '') ? t5Files : sentencePieceFiles
  return read(await readBytes(path), config, path)
}

/** Adds the class that transformers would select, if the config names none. */
function withAutoClass(config: TokenizerConfig, model: ModelSettings): TokenizerConfig {
  const name = config.tokenizer_class || autoClass(config, model)
  return name === undefined || name === BACKEND ? config : { ...config, tokenizer_class: name }
}

/** Loads one of Marian's two SentencePiece models, with a shared or a separate vocabulary. */
async function loadMarian(
  folder: string,
  { config, added }: FolderConfig,
  asTarget: boolean,
): Promise<Tokenizer> {
  const path = join(folder, asTarget ? 'target.spm' : 'source.spm')
  const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${folder}`)
  const separate = asTarget && settings.separate_vocabs === true
  const vocab = await readJson(join(folder, separate ? 'target_vocab.json' : 'vocab.json'))
  warnOfConfigKeys(settings, { name: 'Marian', file: 'other', source: folder })
  const files = marianFiles(await readBytes(path), vocab, settings, path)
  return Tokenizer.fromJSON(files.json, withAdded(files, added), path)
}

/** Loads tiktoken ranks. The file name determines the encoding. */
async function loadTiktoken(path: string): Promise<Tokenizer> {
  const name = basename(path, '.tiktoken')
  if (isTiktokenName(name)) {
    const files = tiktokenFiles(await readText(path), name)
    return Tokenizer.fromJSON(files.json, files.config, path)
  }
  const known = Object.keys(TIKTOKEN_ENCODINGS).map((encoding) => `${encoding}.tiktoken`)
  throw new HeedError(
    'unsupported',
    `A file of tiktoken ranks must be named ${alternatives(known)}, got ${path}`,
    {
      value: path,
      remedy: 'Rename it to the name of its encoding, which determines how words are split.',
    },
  )
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw fileError(error, 'load the tokenizer', path)
  }
}
