import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { alternatives, HeedError } from '../../util/errors.ts'
import { quote } from '../files/file-error.ts'
import { isDevice } from '../files/names-on-windows.ts'

/** A file of a repository, with its size and checksum. */
export interface RemoteFile {
  path: string
  size: number
  /** SHA-256 of the content for large files; git's SHA-1 (`blob SIZE\0…`) for small ones. */
  checksum: { algorithm: 'sha256' | 'git-sha1'; hex: string }
}

/** Files of a model folder other than weights. */
const USUAL = [
  /^config\.json$/,
  /^generation_config\.json$/,
  /^tokenizer[^/]*\.(json|model)$/,
  /^(vocab|special_tokens_map|added_tokens)\.json$/,
  /^(vocab|merges)\.txt$/,
  /^(source|target|spiece|sentencepiece[^/]*)\.(spm|model)$/,
  /^(tekken\.json|(tiktoken|spm)\.model|tokenizer\.model\.\w+)$/,
  /^(chat_template\.(jinja|json)|additional_chat_templates\/[^/]+\.jinja)$/,
  /^(pre)?processor_config\.json$/,
  /^(modules|sentence_bert_config|config_sentence_transformers)\.json$/,
  /^[0-9]+_[A-Za-z]+\/(config\.json|model\.safetensors)$/, // further layers in sentence-transformers
  /^(README\.md|LICENSE[^/]*)$/,
]
const WEIGHTS = /^model(-[0-9]{5}-of-[0-9]{5})?\.safetensors$|^model\.safetensors\.index\.json$/
/** Used if there are no safetensors. Heed reads their pickles but never runs them. */
const PYTORCH_WEIGHTS =
  /^pytorch_model(-[0-9]{5}-of-[0-9]{5})?\.bin$|^pytorch_model\.bin\.index\.json$/

/**
 * Selects the files of a repository that a model folder needs.
 * @param include patterns of additional files, such as `*.gguf`; `*` does not match `/`
 * @throws HeedError if a pattern matches no file, or if there are no weights
 */
export function chooseFiles(paths: readonly string[], include: readonly string[], name: string) {
  const patterns = include.map(patternOf)
  const included = paths.filter((path) => patterns.some((pattern) => pattern.test(path)))
  if (include.length > 0 && included.length === 0)
    throw new HeedError(
      'missing-file',
      `\`include\` must match files of ${name}, got ${alternatives(include)}`,
      { key: 'include', value: include, remedy: `Its files are ${listed(paths)}.` },
    )
  const preferred = paths.filter((path) => WEIGHTS.test(path))
  const weights =
    preferred.length > 0 ? preferred : paths.filter((path) => PYTORCH_WEIGHTS.test(path))
  const usual = paths.filter((path) => USUAL.some((pattern) => pattern.test(path)))
  if (weights.length === 0 && included.length === 0) {
    const others = paths.filter((path) => /\.(safetensors|gguf|bin|pt|pth|h5|onnx)$/.test(path))
    throw new HeedError('missing-file', `${name} must contain weights as safetensors, got none`, {
      key: 'include',
      remedy: `It has ${listed(others.length > 0 ? others : paths)}. Select files with \`include\`.`,
    })
  }
  return [...new Set([...usual, ...weights, ...included])]
}

/** Throws if a path leads out of the repository, because then its other files cannot be trusted either. */
export function refuseHostile(paths: Iterable<string>): void {
  for (const path of paths) {
    const names = path.split('/')
    if (path.includes('\\') || names.some((name) => ['', '.', '..'].includes(name)))
      throw unsafe(path)
  }
}

/** Throws for names with a special meaning in file systems: hidden files, devices, control characters. */
export function checkPath(path: string): string {
  const names = path.split('/')
  const plain = names.every(
    (name) => /^[\w-][\w.+=@, ()-]*$/.test(name) && !/[. ]$/.test(name) && !isDevice(name),
  )
  if (plain && path.length <= 400 && names.length <= 8) return path
  throw unsafe(path)
}

function unsafe(path: string): HeedError {
  return new HeedError('corrupt-file', `File names on the hub must be safe, got ${quote(path)}`, {
    value: path,
    remedy: 'Nothing was written. Do not trust this repository.',
  })
}

/** Whether a local file matches the checksum of the hub. */
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
