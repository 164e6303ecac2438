import { z } from 'zod'
import { fromByteChars } from './byte-level.ts'
import { matchesOf } from './matches.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, noSettings, text, tokenizerPattern } from './settings.ts'
import type { Decoder } from './steps.ts'

// The decoders of `tokenizer.json`, with the results of Python's `tokenizers`.

/** The decoder of a file without one. */
export const joinWithSpaces: Decoder = (tokens) => [tokens.join(' ')]

registerTokenizerStep('decoder', 'Sequence', {
  schema: z.object({ decoders: z.array(tokenizerStep('decoder')) }),
  make:
    ({ decoders }) =>
    (tokens) =>
      decoders.reduce((pieces, step) => step(pieces), tokens),
})

registerTokenizerStep('decoder', 'ByteLevel', {
  schema: noSettings,
  make: (): Decoder =>
    Object.assign((tokens: string[]) => [decodeBytes(tokens.map(fromByteChars))], {
      bytesOf: fromByteChars,
    }),
})

registerTokenizerStep('decoder', 'ByteFallback', { schema: noSettings, make: () => byteFallback })

registerTokenizerStep('decoder', 'Fuse', {
  schema: noSettings,
  make: () => (tokens) => [tokens.join('')],
})

registerTokenizerStep('decoder', 'Metaspace', {
  schema: z.object({
    replacement: z.string().min(1).default('▁'),
    prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
    add_prefix_space: z.boolean().nullish(),
  }),
  make: ({ replacement, prepend_scheme, add_prefix_space }) => {
    const prefixed = prepend_scheme !== 'never' && add_prefix_space !== false
    // All marks of the first token go, as in Python.
    return (tokens) =>
      tokens.map((token, i) => token.replaceAll(replacement, prefixed && i === 0 ? '' : ' '))
  },
})

registerTokenizerStep('decoder', 'Replace', {
  schema: z.object({ pattern: tokenizerPattern, content: text('') }),
  make:
    ({ pattern, content }) =>
    (tokens) =>
      tokens.map((token) => replaceAll(token, pattern, content)),
})

registerTokenizerStep('decoder', 'Strip', {
  schema: z.object({
    content: z.string(),
    start: z.int().min(0).default(0),
    stop: z.int().min(0).default(0),
  }),
  make:
    ({ content, start, stop }) =>
    (tokens) =>
      tokens.map((token) => strip(token, content, start, stop)),
})

registerTokenizerStep('decoder', 'WordPiece', {
  schema: z.object({ prefix: text('##'), cleanup: flag(true) }),
  make:
    ({ prefix, cleanup }) =>
    (tokens) =>
      tokens.map((token, i) => joinWord(token, prefix, i, cleanup)),
})

registerTokenizerStep('decoder', 'BPEDecoder', {
  schema: z.object({ suffix: z.string().min(1).default('</w>') }),
  make:
    ({ suffix }) =>
    (tokens) =>
      tokens.map((token, i) => token.replaceAll(suffix, i + 1 < tokens.length ? ' ' : '')),
})

/** Connectionist temporal classification: repeated tokens count once, padding separates them. */
registerTokenizerStep('decoder', 'CTC', {
  schema: z.object({
    pad_token: text('<pad>'),
    word_delimiter_token: text('|'),
    cleanup: flag(false),
  }),
  make:
    ({ pad_token, word_delimiter_token, cleanup }) =>
    (tokens) =>
      tokens
        .filter((token, i) => token !== tokens[i - 1])
        .map((token) => token.replaceAll(pad_token, ''))
        .map((token) => (cleanup ? spaceWords(token).replaceAll(word_delimiter_token, ' ') : token))
        .filter((token) => token !== ''),
})

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
const strictUtf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

function decodeBytes(chunks: Uint8Array[]): string {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return utf8.decode(bytes)
}

/** Joins successive tokens such as `<0xE2>` into text; if they are not valid UTF-8, each becomes U+FFFD. */
function byteFallback(tokens: string[]): string[] {
  const out: string[] = []
  let bytes: number[] = []
  const flush = (): void => {
    if (bytes.length > 0) out.push(...textOf(bytes))
    bytes = []
  }
  for (const token of tokens) {
    if (/^<0x(?:[0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/.test(token))
      bytes.push(Number.parseInt(token.slice(3, 5), 16))
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

function replaceAll(text: string, pattern: RegExp, content: string): string {
  let out = ''
  let at = 0
  for (const { index, end } of matchesOf(text, pattern)) {
    out += text.slice(at, index) + content
    at = end
  }
  return out + text.slice(at)
}

/** Removes a character at most `start` times in front and `stop` times at the end. */
function strip(token: string, content: string, start: number, stop: number): string {
  const characters = Array.from(token)
  let from = 0
  let to = characters.length
  while (from < start && from < to && characters[from] === content) from++
  for (let i = 0; i < stop && to > from && characters[to - 1] === content; i++) to--
  return characters.slice(from, to).join('')
}

function joinWord(token: string, prefix: string, i: number, cleans: boolean): string {
  let text = token
  if (i > 0) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
  return cleans ? spaceWords(text) : text
}

/** The clean-up of decoders. */
function spaceWords(text: string): string {
  return cleanUp(text.replaceAll(' do not', " don't"))
}

/** English spacing around punctuation: transformers' `clean_up_tokenization_spaces`. */
export function cleanUp(text: string): string {
  return text
    .replaceAll(/ ([.?!,])/g, '$1')
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, '$1')
}
