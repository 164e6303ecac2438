import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'

/** A file of a repository, with what it must be. */
export interface RemoteFile {
  path: string
  size: number
  /** Of the content for large files, as git counts it (`blob SIZE\0…`) for small ones. */
  checksum: { algorithm: 'sha256' | 'git-sha1'; hex: string }
}

/** What a model folder is made of, beside its weights. Pickles, which could run code, are not. */
const USUAL = [
  /^config\.json$/,
  /^generation_config\.json$/,
  /^tokenizer[^/]*\.(json|model)$/,
  /^(vocab|special_tokens_map|added_tokens)\.json$/,
  /^(vocab|merges)\.txt$/,
  /^(source|target|spiece|sentencepiece[^/]*)\.(spm|model)$/,
  /^chat_template\.(jinja|json)$/,
  /^(pre)?processor_config\.json$/,
  /^(modules|sentence_bert_config|config_sentence_transformers)\.json$/,
  /^[0-9]+_[A-Za-z]+\/(config\.json|model\.safetensors)$/, // what sentence-transformers puts behind
  /^(README\.md|LICENSE[^/]*)$/,
]
const WEIGHTS = /^model(-[0-9]{5}-of-[0-9]{5})?\.safetensors$|^model\.safetensors\.index\.json$/

/**
 * Which of a repository's files a model folder needs.
 * @param include patterns of further files, such as `*.gguf`; `*` does not go below a folder
 */
export function chooseFiles(paths: readonly string[], include: readonly string[], name: string) {
  const patterns = include.map(patternOf)
  const asked = paths.filter((path) => patterns.some((pattern) => pattern.test(path)))
  if (include.length > 0 && asked.length === 0)
    throw new HeedError('corrupt-file', `${name} has no file like ${include.join(' or ')}`, {
      remedy: `It has ${listed(paths)}.`,
    })
  const weights = paths.filter((path) => WEIGHTS.test(path))
  const usual = paths.filter((path) => USUAL.some((pattern) => pattern.test(path)))
  if (weights.length === 0 && asked.length === 0) {
    const others = paths.filter((path) => /\.(safetensors|gguf|bin|pt|pth|h5|onnx)$/.test(path))
    throw new HeedError('corrupt-file', `${name} has no weights as safetensors`, {
      remedy: `It has ${listed(others.length > 0 ? others : paths)}; --include takes what you name.`,
    })
  }
  return [...new Set([...usual, ...weights, ...asked])]
}

/** Refuses a repository that names a file outside of itself: whatever else it has is suspect too. */
export function refuseHostile(paths: Iterable<string>): void {
  for (const path of paths) {
    const parts = path.split('/')
    if (path.includes('\\') || parts.some((part) => ['', '.', '..'].includes(part)))
      throw unsafe(path)
  }
}

/** Refuses what a file system may take for something else: hidden files, devices, control characters. */
export function checkPath(path: string): string {
  const parts = path.split('/')
  const plain = parts.every((part) => /^[\w-][\w.+=@, ()-]*$/.test(part) && !/[. ]$/.test(part))
  if (plain && path.length <= 400 && parts.length <= 8) return path
  throw unsafe(path)
}

function unsafe(path: string): HeedError {
  return new HeedError(
    'corrupt-file',
    `The hub names a file ${quote(path)}, which is not a safe name`,
    {
      remedy: 'Nothing was written. Do not trust this repository.',
    },
  )
}

/** Whether a file has the content that the hub promised. */
export async function hasChecksum(path: string, { size, checksum }: RemoteFile): Promise<boolean> {
  const git = checksum.algorithm === 'git-sha1'
  const hash = createHash(git ? 'sha1' : 'sha256')
  if (git) hash.update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex') === checksum.hex
}

function patternOf(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, '[^/]*')
  return new RegExp(`^${escaped.replaceAll('?', '[^/]')}$`)
}

function listed(paths: readonly string[]): string {
  const some = paths.slice(0, 8).map(quote).join(', ')
  return paths.length === 0 ? 'nothing' : paths.length > 8 ? `${some} …` : some
}
