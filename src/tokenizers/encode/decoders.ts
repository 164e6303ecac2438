import { z } from 'zod'
import { byteFallback } from './byte-fallback.ts'
import { fromByteChars } from './byte-level.ts'
import { cleanUp } from './clean-up.ts'
import { matchesOf } from './matches.ts'
import { chained, eachPiece, streaming, wholePieces } from './piece-stream.ts'
import { registerTokenizerStep, tokenizerStep } from './register-step.ts'
import { flag, noSettings, text, tokenizerPattern } from './settings.ts'
import type { Decoder, PieceSink } from './steps.ts'

// Decoders of `tokenizer.json`, with the results of Python's `tokenizers`.

/** Default decoder. */
export const joinWithSpaces: Decoder = eachPiece(() => {
  let isFirst = true
  return (token) => {
    const text = isFirst ? token : ` ${token}`
    isFirst = false
    return text
  }
})

registerTokenizerStep('decoder', 'Sequence', {
  schema: z.object({ decoders: z.array(tokenizerStep('decoder')) }),
  make: ({ decoders }): Decoder =>
    Object.assign((tokens: string[]) => decoders.reduce((pieces, step) => step(pieces), tokens), {
      stream: chained(decoders),
    }),
})

registerTokenizerStep('decoder', 'ByteLevel', {
  schema: noSettings,
  make: (): Decoder =>
    Object.assign((tokens: string[]) => [decodeBytes(tokens.map(fromByteChars))], {
      bytesOf: fromByteChars,
      stream: byteLevelStream,
    }),
})

registerTokenizerStep('decoder', 'ByteFallback', { schema: noSettings, make: () => byteFallback })

registerTokenizerStep('decoder', 'Fuse', {
  schema: noSettings,
  make: () =>
    streaming((next) => ({
      push: (text) => next.push(text, false),
      end() {
        next.push('', true)
        next.end()
      },
    })),
})

registerTokenizerStep('decoder', 'Metaspace', {
  schema: z.object({
    replacement: z.string().min(1).default('▁'),
    prepend_scheme: z.enum(['always', 'first', 'never']).nullish(),
    add_prefix_space: z.boolean().nullish(),
  }),
  make: ({ replacement, prepend_scheme, add_prefix_space }) =>
    eachPiece(() => {
      // As in Python, all marks of the first token are dropped.
      let mark = prepend_scheme !== 'never' && add_prefix_space !== false ? '' : ' '
      return (token) => {
        const text = token.replaceAll(replacement, mark)
        mark = ' '
        return text
      }
    }),
})

registerTokenizerStep('decoder', 'Replace', {
  schema: z.object({ pattern: tokenizerPattern, content: text('') }),
  make: ({ pattern, content }) => eachPiece(() => (token) => replaceAll(token, pattern, content)),
})

registerTokenizerStep('decoder', 'Strip', {
  schema: z.object({
    content: z.string(),
    start: z.int().min(0).default(0),
    stop: z.int().min(0).default(0),
  }),
  make: (settings) => streaming((next) => stripped(next, settings)),
})

registerTokenizerStep('decoder', 'WordPiece', {
  schema: z.object({ prefix: text('##'), cleanup: flag(true) }),
  make: ({ prefix, cleanup }) =>
    eachPiece(() => {
      let isFirst = true
      return (token) => {
        const text = joinWord(token, prefix, isFirst, cleanup)
        isFirst = false
        return text
      }
    }),
})

registerTokenizerStep('decoder', 'BPEDecoder', {
  schema: z.object({ suffix: z.string().min(1).default('</w>') }),
  make: ({ suffix }) => streaming((next) => wordEnds(next, suffix)),
})

/** Connectionist temporal classification: repeated tokens are merged unless padding separates them. */
registerTokenizerStep('decoder', 'CTC', {
  schema: z.object({
    pad_token: text('<pad>'),
    word_delimiter_token: text('|'),
    cleanup: flag(false),
  }),
  make: ({ pad_token, word_delimiter_token, cleanup }) =>
    eachPiece(() => {
      let last: string | undefined
      return (token) => {
        const isRepeated = token === last
        last = token
        if (isRepeated) return null
        const text = token.replaceAll(pad_token, '')
        return (cleanup ? spaceWords(text).replaceAll(word_delimiter_token, ' ') : text) || null
      }
    }),
})

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function decodeBytes(chunks: Uint8Array[]): string {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return utf8.decode(bytes)
}

/** All tokens form one piece. A character is emitted with its last byte. */
function byteLevelStream(next: PieceSink): PieceSink {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  return wholePieces(
    next,
    (token) => next.push(utf8.decode(fromByteChars(token), { stream: true }), false),
    () => next.push(utf8.decode(), true),
  )
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

/** Removes up to `start` occurrences of a character at the start of a piece and up to `stop` at its end. */
function stripped(
  next: PieceSink,
  { content, start, stop }: { content: string; start: number; stop: number },
): PieceSink {
  let inFront = start
  let ending = '' // characters that `stop` may remove
  return {
    push(text, complete) {
      let from = 0
      while (inFront > 0 && from < text.length && text.startsWith(content, from)) {
        from += content.length
        inFront--
      }
      if (from < text.length) inFront = 0
      const all = ending + text.slice(from)
      let end = all.length
      for (let i = 0; i < stop && end > 0 && all.endsWith(content, end); i++) end -= content.length
      ending = complete ? '' : all.slice(end)
      next.push(all.slice(0, end), complete)
      if (complete) inFront = start
    },
    end: () => next.end(),
  }
}

function joinWord(token: string, prefix: string, isFirst: boolean, cleans: boolean): string {
  let text = token
  if (!isFirst) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
  return cleans ? spaceWords(text) : text
}

/** Clean-up as an option of decoders. */
const spaceWords = (text: string): string => cleanUp(text.replaceAll(' do not', " don't"))

/** Replaces a suffix by a space; in the last token, the suffix is removed. */
function wordEnds(next: PieceSink, suffix: string): PieceSink {
  let ending: string | null = null // rest of the previous token, starting with its suffix
  return wholePieces(
    next,
    (token) => {
      if (ending !== null) next.push(ending.replaceAll(suffix, ' '), true)
      const at = token.indexOf(suffix)
      ending = at < 0 ? null : token.slice(at)
      next.push(at < 0 ? token : token.slice(0, at), at < 0)
    },
    () => {
      if (ending !== null) next.push(ending.replaceAll(suffix, ''), true)
    },
  )
}
