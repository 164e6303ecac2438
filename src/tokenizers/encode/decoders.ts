import type { ComponentJson } from '../formats/tokenizer-json.ts'
import { fromByteChars } from './byte-level.ts'
import { compilePattern } from './patterns.ts'

/** Tokens to text, piece by piece; the pieces joined are the text. */
export type Decoder = (tokens: string[]) => string[]

/** The decoder that `tokenizer.json` describes; each as Python's `tokenizers` does it. */
export function makeDecoder(config: ComponentJson | null): Decoder {
  if (config === null) return (tokens) => [tokens.join(' ')]
  const make = Object.hasOwn(DECODERS, config.type ?? '')
    ? DECODERS[config.type as string]
    : undefined
  if (make) return make(config)
  throw new Error(`Unknown Decoder type: ${config.type}`)
}

const DECODERS: Record<string, (config: ComponentJson) => Decoder> = {
  Sequence: ({ decoders }) => {
    const steps = (decoders as ComponentJson[]).map(makeDecoder)
    return (tokens) => steps.reduce((pieces, step) => step(pieces), tokens)
  },
  ByteLevel: () => (tokens) => [decodeBytes(tokens.map(fromByteChars))],
  ByteFallback: () => byteFallback,
  Fuse: () => (tokens) => [tokens.join('')],
  Metaspace: ({ replacement = '▁', prepend_scheme, add_prefix_space }) => {
    const prefixed = prepend_scheme !== 'never' && add_prefix_space !== false
    return (tokens) =>
      tokens.map((token, i) => unmark(token, String(replacement), prefixed && i === 0))
  },
  Replace: ({ pattern, content }) => {
    const regexp = compilePattern(pattern)
    return (tokens) => tokens.map((token) => token.replace(regexp, () => String(content)))
  },
  Strip: ({ content, start, stop }) => {
    return (tokens) =>
      tokens.map((token) => strip(token, String(content), Number(start), Number(stop)))
  },
  WordPiece: ({ prefix = '##', cleanup = true }) => {
    return (tokens) =>
      tokens.map((token, i) => joinWord(token, String(prefix), i, cleanup === true))
  },
  BPEDecoder: ({ suffix = '</w>' }) => {
    return (tokens) =>
      tokens.map((token, i) => token.replaceAll(String(suffix), i + 1 < tokens.length ? ' ' : ''))
  },
  CTC: ctc,
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

function decodeBytes(parts: Uint8Array[]): string {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return utf8.decode(bytes)
}

/** `<0xE2>` tokens in a row are one text, or as many U+FFFD where they are no UTF-8. */
function byteFallback(tokens: string[]): string[] {
  const out: string[] = []
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length > 0) out.push(...textOf(bytes))
    bytes = []
  }
  for (const token of tokens) {
    if (/^<0x[0-9A-Fa-f]{2}>$/.test(token)) bytes.push(Number.parseInt(token.slice(3, 5), 16))
    else {
      flush()
      out.push(token)
    }
  }
  flush()
  return out
}

function textOf(bytes: number[]): string[] {
  try {
    return [strictUtf8.decode(Uint8Array.from(bytes))]
  } catch {
    return bytes.map(() => '\ufffd')
  }
}

function unmark(token: string, mark: string, first: boolean): string {
  const text = first && token.startsWith(mark) ? token.slice(mark.length) : token
  return text.replaceAll(mark, ' ')
}

/** Takes up to `start` and `stop` times a character from the two ends. */
function strip(token: string, content: string, start: number, stop: number): string {
  let from = 0
  let to = token.length
  for (let i = 0; i < start && from < to && token[from] === content; i++) from++
  for (let i = 0; i < stop && to > from && token[to - 1] === content; i++) to--
  return token.slice(from, to)
}

function joinWord(token: string, prefix: string, i: number, cleans: boolean): string {
  let text = token
  if (i > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
  return cleans ? cleanUp(text.replaceAll(' do not', " don't")) : text
}

/** English spelling around signs, as transformers' `clean_up_tokenization_spaces`. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')
}

/** Connectionist temporal classification: what is repeated is one, padding separates. */
function ctc(config: ComponentJson): Decoder {
  const pad = String(config.pad_token ?? '<pad>')
  const space = String(config.word_delimiter_token ?? '|')
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1] && token !== pad)
      .map((token) => (config.cleanup ? cleanUp(token).replaceAll(space, ' ') : token))
}
