import type { Pipeline } from '../formats/read-json.ts'
import type { AddedTokenJson } from '../formats/tokenizer-json.ts'
import { AddedTokens } from './added-tokens.ts'
import { AlignedText } from './aligned-text.ts'
import type { Normalizer, PreTokenizer } from './steps.ts'
import { type WordEncoder, wordEncoder } from './word-encoder.ts'

/** The tokens of a text without special tokens around it; parallel lists. */
export interface TextTokens {
  ids: number[]
  /** UTF-16 indices into the text: the token stands for `text.slice(start, end)`. */
  offsets: [start: number, end: number][]
  /** The index of the word that each token is part of, as the pre-tokenizer splits them. */
  words: number[]
  /** The text of each token: that of the vocabulary, or of an added token as it was found. */
  texts: string[]
}

/**
 * Text to ids, as in Python's `tokenizers`: added tokens are taken out, the rest is normalised and split into
 * words, and each word into tokens of the vocabulary.
 */
export class Encoder {
  private readonly literal: AddedTokens // found in the text as it is
  private readonly normal: AddedTokens // found in the normalised text
  private readonly normalizer: Normalizer | undefined
  private readonly preTokenizer: PreTokenizer | undefined
  private readonly model: WordEncoder
  private readonly tokenOf: (id: number) => string

  constructor(
    { normalizer, preTokenizer, model }: Pipeline,
    added: readonly AddedTokenJson[],
    tokenOf: (id: number) => string,
  ) {
    this.tokenOf = tokenOf
    this.normalizer = normalizer
    // A model that sees bytes itself keeps words as they were read, whose offsets are cheaper.
    const beforeBytes = preTokenizer?.beforeBytes
    this.preTokenizer = beforeBytes ?? preTokenizer
    this.model = wordEncoder(model, beforeBytes !== undefined)
    const find = (token: AddedTokenJson) => [token.content, token] as const
    const findNormal = (token: AddedTokenJson) => {
      return [normalizedContent(token, normalizer), token] as const
    }
    this.literal = new AddedTokens(added.filter((token) => !isNormalized(token)).map(find))
    this.normal = new AddedTokens(added.filter(isNormalized).map(findNormal))
  }

  /** Appends the ids of a text. */
  encode(text: string, out: number[]): void {
    this.eachWord(
      text,
      (id) => out.push(id),
      (word) => {
        for (const id of this.model.encode(word.text).ids) out.push(id)
      },
    )
  }

  encodeWithOffsets(text: string): TextTokens {
    const tokens: TextTokens = { ids: [], offsets: [], words: [], texts: [] }
    let words = 0
    const push = (id: number, start: number, end: number, token: string): void => {
      tokens.ids.push(id)
      tokens.offsets.push([start, end])
      tokens.words.push(words)
      tokens.texts.push(token)
    }
    this.eachWord(
      text,
      (id, part) => {
        push(id, part.start(0), part.end(part.text.length - 1), part.text)
        words++
      },
      (word) => {
        const { ids, starts, ends, texts } = this.model.encode(word.text)
        ids.forEach((id, i) => {
          const token = texts?.[i] ?? this.tokenOf(id)
          push(id, word.start(starts[i]), word.end(ends[i] - 1), token)
        })
        words++
      },
    )
    return tokens
  }

  private eachWord(
    text: string,
    useAdded: (id: number, part: AlignedText) => void,
    useWord: (word: AlignedText) => void,
  ): void {
    cut(new AlignedText(text), this.literal, useAdded, (rest) => {
      const normalized = this.normalizer ? this.normalizer(rest) : rest
      cut(normalized, this.normal, useAdded, (stretch) => {
        const words = this.preTokenizer ? this.preTokenizer(stretch) : [stretch]
        for (const word of words) if (word.text !== '') useWord(word)
      })
    })
  }
}

function cut(
  text: AlignedText,
  tokens: AddedTokens,
  useAdded: (id: number, part: AlignedText) => void,
  useRest: (text: AlignedText) => void,
): void {
  let at = 0
  for (const { id, from, to } of tokens.find(text.text)) {
    if (from > at) useRest(text.slice(at, from))
    if (to > from) useAdded(id, text.slice(from, to))
    at = to
  }
  if (at < text.text.length) useRest(text.slice(at, text.text.length))
}

/** The text to find in the normalised input, and the text of the token when it is decoded. */
export function normalizedContent(token: AddedTokenJson, normalizer?: Normalizer): string {
  if (!isNormalized(token) || !normalizer) return token.content
  return normalizer(new AlignedText(token.content)).text
}

function isNormalized(token: AddedTokenJson): boolean {
  return token.normalized ?? !token.special
}
