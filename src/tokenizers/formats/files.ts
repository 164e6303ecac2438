import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { ensureDir } from '../../io/files/ensure-dir.ts'
import { fileError } from '../../io/files/file-error.ts'
import { readJson } from '../../io/files/json.ts'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { isGGUF } from '../../io/gguf/gguf.ts'
import { HeedError } from '../../util/errors.ts'
import { Tokenizer } from '../tokenizer.ts'
import { bertVocabFiles } from './bert-vocab.ts'
import { marianFiles } from './marian.ts'
import { readTokenizerConfig } from './read-json.ts'
import { sentencePieceFiles, t5Files } from './sentencepiece.ts'
import { TIKTOKEN_ENCODINGS, type TiktokenName, tiktokenFiles } from './tiktoken.ts'
import { byteLevelJson, END_OF_TEXT, specialToken, type TokenizerConfig } from './tokenizer-json.ts'

export interface LoadTokenizerOptions {
  /** Of two tokenizers, as a translator of Marian has them, the one of what is written. */
  asTarget?: boolean
}

/** Loads a `tokenizer.json` with its `tokenizer_config.json`, a folder with them, or a GGUF file. */
export async function loadTokenizer(
  path: string,
  { asTarget = false }: LoadTokenizerOptions = {},
): Promise<Tokenizer> {
  if (isGGUF(path)) {
    const { json, config } = await (await import('./gguf.ts')).readGGUFTokenizer(path)
    return Tokenizer.fromJSON(json, config, path)
  }
  if (!(await isFolder(path))) return loadFile(path, await readConfig(join(path, '..')))
  const config = await readConfig(path)
  for (const name of FILES) {
    if (await exists(join(path, name))) return loadFile(join(path, name), config)
  }
  if (await exists(join(path, 'source.spm'))) return loadMarian(path, config, asTarget)
  if (await exists(join(path, 'merges.txt'))) return loadGpt2Files(path, config)
  throw new HeedError('corrupt-file', `${path} holds no tokenizer.json`, {
    remedy: `Give the folder of a model, or a file: ${FILES.join(', ')}, or ranks (.tiktoken).`,
  })
}

/** The first that is there counts. */
const FILES = [
  'tokenizer.json',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'vocab.txt',
]

async function loadFile(path: string, config: unknown): Promise<Tokenizer> {
  if (path.endsWith('.tiktoken')) return loadTiktoken(path)
  const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${path}`)
  const files = await filesOf(path, settings)
  return Tokenizer.fromJSON(files.json, files.config, path)
}

async function filesOf(
  path: string,
  config: TokenizerConfig,
): Promise<{ json: unknown; config: TokenizerConfig }> {
  if (path.endsWith('.txt')) return bertVocabFiles(await readText(path), config, path)
  if (!path.endsWith('.model')) return { json: await readJson(path), config }
  const isT5 = basename(path) === 'spiece.model' && /^T5|^$/.test(config.tokenizer_class ?? '')
  return (isT5 ? t5Files : sentencePieceFiles)(await readBytes(path), config, path)
}

/** A SentencePiece model for each language, and one vocabulary of both or one each. */
async function loadMarian(folder: string, config: unknown, asTarget: boolean): Promise<Tokenizer> {
  const path = join(folder, asTarget ? 'target.spm' : 'source.spm')
  const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${folder}`)
  const own = asTarget && settings.separate_vocabs === true
  const vocab = await readJson(join(folder, own ? 'target_vocab.json' : 'vocab.json'))
  const files = marianFiles(await readBytes(path), vocab, settings, path)
  return Tokenizer.fromJSON(files.json, files.config, path)
}

/** The name of the file says how its encoding cuts words. */
async function loadTiktoken(path: string): Promise<Tokenizer> {
  const name = basename(path, '.tiktoken')
  const known = Object.keys(TIKTOKEN_ENCODINGS)
  if (known.includes(name)) {
    const files = tiktokenFiles(await readText(path), name as TiktokenName)
    return Tokenizer.fromJSON(files.json, files.config, path)
  }
  throw new HeedError('corrupt-file', `${path} is none of tiktoken's encodings`, {
    remedy: `Known: ${known.map((encoding) => `${encoding}.tiktoken`).join(', ')}.`,
  })
}

export async function saveTokenizer(
  tokenizer: Tokenizer,
  folder: string,
  options: { modelMaxLength?: number },
): Promise<void> {
  const config = { ...tokenizer.config }
  if (options.modelMaxLength !== undefined) config.model_max_length = options.modelMaxLength
  try {
    await ensureDir(folder)
  } catch (error) {
    throw fileError(error, 'make the folder', folder)
  }
  await writeFileAtomic(join(folder, 'tokenizer.json'), toText(tokenizer))
  await writeFileAtomic(join(folder, 'tokenizer_config.json'), toText(config))
}

/** GPT-2's own two files, which older checkpoints have instead of a tokenizer.json. */
async function loadGpt2Files(folder: string, config: unknown): Promise<Tokenizer> {
  const vocabFile = join(folder, 'vocab.json')
  const vocab = Object.entries((await readJson(vocabFile)) ?? {}) as [string, number][]
  const lines = (await readText(join(folder, 'merges.txt'))).split(/\r?\n/)
  const merges = lines.filter((line) => line !== '' && !line.startsWith('#version'))
  const end = vocab.find(([token]) => token === END_OF_TEXT)
  const special = end ? [specialToken(...end)] : []
  return Tokenizer.fromJSON(byteLevelJson(vocab, merges, special), config, vocabFile)
}

async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}

/** `tokenizer_config.json`, with what other files of the folder say of special tokens and chat. */
async function readConfig(folder: string): Promise<unknown> {
  const config = await readIfThere(join(folder, 'tokenizer_config.json'))
  const special = await readIfThere(join(folder, 'special_tokens_map.json'))
  if (!isJsonObject(config) || !isJsonObject(special)) return config
  const template = join(folder, 'chat_template.jinja')
  const chat = (await exists(template)) ? { chat_template: await readText(template) } : {}
  return { ...special, ...config, ...chat }
}

async function readIfThere(path: string): Promise<unknown> {
  return (await exists(path)) ? readJson(path) : {}
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw fileError(error, 'load the tokenizer', path)
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
