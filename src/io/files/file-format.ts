// Recognises file formats by the first bytes, because file names are often wrong.
import { formatBytes, quote } from './file-error.ts'
import { openForReading, readFully } from './open-file.ts'

/** A format: its name, and a remedy for places where another format is required. */
interface Format {
  /** Name with its article: "a GGUF file". */
  title: string | ((text: string) => string)
  remedy: string
  matches: (head: Uint8Array, text: string) => boolean
}

/** Number of bytes that are inspected. */
const HEAD_BYTES = 4096

/** The format of a file by its first bytes; null if unknown, such as text. */
export function formatOf(head: Uint8Array): FileFormat | null {
  const bytes = head.subarray(0, HEAD_BYTES)
  const text = latin1(bytes)
  const names = Object.keys(FORMATS).filter(isFormat)
  return names.find((name) => FORMATS[name].matches(bytes, text)) ?? null
}

/** The format of a file; null if unknown, or if it is a folder or cannot be read. */
export async function fileFormat(path: string): Promise<FileFormat | null> {
  const head = await readHead(path).catch(() => null)
  return head && formatOf(head)
}

/** Reads the first bytes of a file. @throws HeedError if it is missing, a folder or a device */
export async function readHead(path: string): Promise<Uint8Array> {
  const { handle, size } = await openForReading(path)
  try {
    const head = new Uint8Array(Math.min(size, HEAD_BYTES))
    return (await readFully(handle, head, 0)) ? head : new Uint8Array()
  } finally {
    await handle.close()
  }
}

/** Describes the content of a file for an error message, with a remedy. */
export function describeContent(head: Uint8Array): { title: string; remedy?: string } {
  const format = formatOf(head)
  const text = latin1(head.subarray(0, HEAD_BYTES))
  if (format !== null) {
    const { title, remedy } = FORMATS[format]
    return { title: typeof title === 'string' ? title : title(text), remedy }
  }
  if (head.length === 0) return { title: 'an empty file', remedy: AGAIN }
  const [line] = new TextDecoder()
    .decode(head.subarray(0, 200), { stream: true })
    .trim()
    .split(/\r?\n/)
  if (isPrintable(line)) return { title: `text (${quote(line.slice(0, 60))})` }
  const hex = Array.from(head.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'))
  return { title: `an unknown format (first bytes ${hex.join(' ')})`, remedy: AGAIN }
}

const AGAIN = 'Download or save it again.'
const UNPACK = 'Decompress it first.'
const FOREIGN = 'Use a version of the model in safetensors or GGUF format.'

const FORMATS = {
  gguf: {
    title: 'a GGUF file',
    remedy: 'Use the path of this file as the model. Its name does not matter.',
    // The version after it may have either byte order.
    matches: (head, text) =>
      text.startsWith('GGUF') && text.length >= 8 && head[5] === 0 && head[6] === 0,
  },
  lfs: {
    title: (text) => `a Git LFS pointer${sizeIn(text)}`,
    remedy: 'Fetch the real file: git lfs pull in its folder, or heed pull NAME.',
    matches: starting('version https://git-lfs', 'version https://hawser'),
  },
  torch: {
    title: 'a PyTorch file',
    remedy:
      'Save it as pytorch_model.bin in the folder of its config.json, and use the folder as the model.',
    matches: (head, text) => TORCH_ENTRY.test(firstEntry(head, text)),
  },
  npz: {
    title: 'an archive of arrays (.npz) from NumPy or MLX',
    remedy: FOREIGN,
    matches: (head, text) => firstEntry(head, text).endsWith('.npy'),
  },
  zip: { title: 'a zip archive', remedy: UNPACK, matches: starting('PK\x03\x04', 'PK\x05\x06') },
  oldTorch: {
    title: 'a PyTorch file in the format before version 1.6',
    remedy: 'Save it again in Python: torch.save(torch.load(path), path).',
    matches: starting('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19'),
  },
  pickle: {
    title: 'a Python pickle',
    remedy: 'Load it in Python, and save the weights as safetensors.',
    matches: ([mark, version, next]) =>
      mark === 0x80 && version >= 2 && version <= 5 && next >= 0x28,
  },
  gzip: {
    title: 'a gzip file',
    remedy: 'Decompress it first with gunzip.',
    matches: starting('\x1f\x8b\x08'),
  },
  zstd: { title: 'a zstd file', remedy: UNPACK, matches: starting('\x28\xb5\x2f\xfd') },
  xz: { title: 'an xz file', remedy: UNPACK, matches: starting('\xfd7zXZ\0') },
  bzip2: {
    title: 'a bzip2 file',
    remedy: UNPACK,
    matches: (_, text) => /^BZh\d1AY/.test(text),
  },
  sevenZip: { title: 'a 7z archive', remedy: UNPACK, matches: starting('7z\xbc\xaf\x27\x1c') },
  tar: {
    title: 'a tar archive',
    remedy: UNPACK,
    matches: (_, text) => text.startsWith('ustar', 257),
  },
  hdf5: {
    title: 'an HDF5 file, the format of Keras',
    remedy: FOREIGN,
    matches: starting('\x89HDF\r\n\x1a\n'),
  },
  tflite: {
    title: 'a TensorFlow Lite file',
    remedy: FOREIGN,
    matches: (_, text) => text.startsWith('TFL3', 4),
  },
  // The format version (field 1), then the next field. TensorFlow files begin in the same way, with version 1.
  onnx: {
    title: 'an ONNX file',
    remedy: FOREIGN,
    matches: ([tag, version, next]) =>
      tag === 8 && version >= 3 && version < 32 && ((next & 7) === 2 || next === 0x28),
  },
  // A list of pieces: text (field 1), then its score (field 2).
  sentencepiece: {
    title: 'a SentencePiece model',
    remedy:
      'To use it as a tokenizer, save it as tokenizer.model in the folder of its config.json.',
    matches: (head, text) => text[0] === '\n' && text[2] === '\n' && text[4 + head[3]] === '\x15',
  },
  parquet: {
    title: 'a Parquet file',
    remedy: 'To use it as data, give it the ending .parquet.',
    matches: starting('PAR1\x15'), // text may begin with PAR1
  },
  // The length of the header (below 4 GB), then JSON.
  safetensors: {
    title: 'a safetensors file',
    remedy:
      'Save it as model.safetensors in the folder of its config.json, and use the folder as the model.',
    matches: (_, text) => text.startsWith('\0\0\0\0{', 4),
  },
  html: {
    title: (text) => `an HTML page${titleIn(text)}`,
    remedy: `A server sent a web page instead of the file. Sign in or accept the licence there, then download it again (heed pull NAME).`,
    matches: (_, text) => /^<(!doctype\s+html|html)\b/i.test(withoutProlog(text)),
  },
  xml: {
    title: 'an XML document',
    remedy: 'If a server sent it instead of the file, download the file again.',
    matches: (_, text) => /^(\xef\xbb\xbf)?\s*<\?xml\s/.test(text),
  },
  json: {
    title: 'a JSON file',
    remedy: 'Check that this is the right file.',
    // Text may begin with a bracket too: vocabularies begin with [PAD].
    matches: (_, text) => /^(\xef\xbb\xbf)?\s*(\{\s*["}]|\[\s*[[{"\]\d-])/.test(text),
  },
} as const satisfies Record<string, Format>

export type FileFormat = keyof typeof FORMATS

const isFormat = (name: string): name is FileFormat => Object.hasOwn(FORMATS, name)

function starting(...magic: readonly string[]): Format['matches'] {
  return (_, text) => magic.some((bytes) => text.startsWith(bytes))
}

const isPrintable = (text: string): boolean =>
  Array.from(text).every((char) => (char >= ' ' || char === '\t') && char !== '\ufffd')

/** Decodes each byte to one character. */
const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

/** The name of the first file in a zip archive. */
function firstEntry(head: Uint8Array, text: string): string {
  return text.startsWith('PK\x03\x04') && head.length > 30
    ? text.slice(30, 30 + head[26] + 256 * head[27])
    : ''
}

const TORCH_ENTRY =
  /(^|\/)(data\.pkl|version|byteorder|\.format_version|constants\.pkl)$|\/\.data\//

/** Removes comments and the declaration before the first tag. */
function withoutProlog(text: string): string {
  return text.replace(/^(\xef\xbb\xbf)?(\s|<!--.*?-->|<\?xml.*?\?>)*/s, '')
}

function titleIn(text: string): string {
  const utf8 = new TextDecoder().decode(Buffer.from(text, 'latin1'))
  const [, title] = /<title[^>]*>\s*([^<]{1,100})/i.exec(utf8) ?? []
  return title === undefined ? '' : ` (${quote(title.trim())})`
}

function sizeIn(text: string): string {
  const [, size] = /^size (\d{1,15})$/m.exec(text) ?? []
  return size === undefined ? '' : ` to a file of ${formatBytes(Number(size))}`
}
