import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { ensureDir } from '../../io/files/ensure-dir.ts'
import { fileError } from '../../io/files/file-error.ts'
import { fileFormat } from '../../io/files/file-format.ts'
import { readJson } from '../../io/files/json.ts'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { isGGUF } from '../../io/gguf/gguf.ts'
import { alternatives, HeedError } from '../../util/errors.ts'
import { Tokenizer } from '../tokenizer.ts'
import { bertVocabFiles } from './bert-vocab.ts'
import { marianFiles } from './marian.ts'
import { readTokenizerConfig } from './read-json.ts'
import { sentencePieceFiles, t5Files } from './sentencepiece.ts'
import { isTiktokenName, TIKTOKEN_ENCODINGS, tiktokenFiles } from './tiktoken.ts'
import { byteLevelJson, END_OF_TEXT, specialToken, type TokenizerConfig } from './tokenizer-json.ts'

export interface LoadTokenizerOptions {
  /** Of the two tokenizers of a Marian model, load that of the target language. */
  asTarget?: boolean
}

/** Loads a `tokenizer.json` with its `tokenizer_config.json`, a folder with them, or a GGUF file. */
export async function loadTokenizer(
  path: string,
  { asTarget = false }: LoadTokenizerOptions = {},
): Promise<Tokenizer> {
  if (await isGGUF(path)) {
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
  throw new HeedError('missing-file', `${path} must contain a tokenizer.json, got none`, {
    value: path,
    expected: 'a tokenizer.json',
    remedy: `Use the folder of a model, or a file: ${FILES.join(', ')} or one with tiktoken's ranks (.tiktoken).`,
  })
}

/** The first that exists is used. */
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
  const format = await fileFormat(path)
  const isModel = format === 'sentencepiece' || (format === null && path.endsWith('.model'))
  if (format === null && path.endsWith('.txt'))
    return bertVocabFiles(await readText(path), config, path)
  if (!isModel) return { json: await readJson(path), config }
  const isT5 = basename(path) === 'spiece.model' && /^T5|^$/.test(config.tokenizer_class ?? '')
  return (isT5 ? t5Files : sentencePieceFiles)(await readBytes(path), config, path)
}

/** A SentencePiece model per language, with a common vocabulary or one each. */
async function loadMarian(folder: string, config: unknown, asTarget: boolean): Promise<Tokenizer> {
  const path = join(folder, asTarget ? 'target.spm' : 'source.spm')
  const settings = readTokenizerConfig(config, `the tokenizer_config.json of ${folder}`)
  const separate = asTarget && settings.separate_vocabs === true
  const vocab = await readJson(join(folder, separate ? 'target_vocab.json' : 'vocab.json'))
  const files = marianFiles(await readBytes(path), vocab, settings, path)
  return Tokenizer.fromJSON(files.json, files.config, path)
}

/** The name of the file says how its encoding splits words. */
async function loadTiktoken(path: string): Promise<Tokenizer> {
  const name = basename(path, '.tiktoken')
  if (isTiktokenName(name)) {
    const files = tiktokenFiles(await readText(path), name)
    return Tokenizer.fromJSON(files.json, files.config, path)
  }
  const known = Object.keys(TIKTOKEN_ENCODINGS).map((encoding) => `${encoding}.tiktoken`)
  throw new HeedError(
    'unsupported',
    `A file of tiktoken's ranks must be named ${alternatives(known)}, got ${path}`,
    {
      value: path,
      remedy: 'Rename it to the name of its encoding, which says how words are split.',
    },
  )
}

export async function saveTokenizer(
  tokenizer: Tokenizer,
  folder: string,
  options: { modelMaxLength?: number },
): Promise<void> {
  // Always the last key, so that the file of a reopened tokenizer has the same bytes.
  const { model_max_length: before, ...config } = tokenizer.config
  const length = options.modelMaxLength ?? before
  const withLength = length === undefined ? config : { ...config, model_max_length: length }
  try {
    await ensureDir(folder)
  } catch (error) {
    throw fileError(error, 'make the folder', folder)
  }
  await writeFileAtomic(join(folder, 'tokenizer.json'), toText(tokenizer))
  await writeFileAtomic(join(folder, 'tokenizer_config.json'), toText(withLength))
}

/** GPT-2's two files, which older checkpoints have instead of a tokenizer.json. */
async function loadGpt2Files(folder: string, config: unknown): Promise<Tokenizer> {
  const vocabFile = join(folder, 'vocab.json')
  const ids = await readJson(vocabFile)
  const lines = (await readText(join(folder, 'merges.txt'))).split(/\r?\n/)
  const merges = lines.filter((line) => line !== '' && !line.startsWith('#version'))
  const end = isJsonObject(ids) && Object.hasOwn(ids, END_OF_TEXT) ? ids[END_OF_TEXT] : undefined
  const special = typeof end === 'number' ? [specialToken(END_OF_TEXT, end)] : []
  const { model, ...steps } = byteLevelJson([], merges, special)
  const json = { ...steps, model: { ...model, vocab: ids } } // the ids are checked where it is read
  return Tokenizer.fromJSON(json, config, vocabFile)
}

async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}

async function readBytes(path: string): Promise<Buffer> {
  try {
    const bytes = await readFile(path)
    refuseOtherFormats(path, 'a file of a tokenizer', bytes, ['json', 'sentencepiece'])
    return bytes
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}

/** `tokenizer_config.json`, with the special tokens and the chat template of other files in the folder. */
async function readConfig(folder: string): Promise<unknown> {
  const config = await readIfPresent(join(folder, 'tokenizer_config.json'))
  const special = await readIfPresent(join(folder, 'special_tokens_map.json'))
  if (!isJsonObject(config) || !isJsonObject(special)) return config
  const template = join(folder, 'chat_template.jinja')
  const chat = (await exists(template)) ? { chat_template: await readText(template) } : {}
  return { ...special, ...config, ...chat }
}

async function readIfPresent(path: string): Promise<unknown> {
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
