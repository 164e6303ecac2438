import type { Pipeline } from '../formats/read-json.ts'
import type { AddedTokenJson } from '../formats/tokenizer-json.ts'
import { AddedTokens } from './added-tokens.ts'
import { AlignedText } from './aligned-text.ts'
import type { Normalizer, PreTokenizer } from './steps.ts'
import { type WordEncoder, wordEncoder } from './word-encoder.ts'

/** The tokens of a text without surrounding special tokens, as parallel lists. */
export interface TextTokens {
  ids: number[]
  /** UTF-16 indices of each token in the text: `text.slice(start, end)`. */
  offsets: [start: number, end: number][]
  /** Index of the word of each token, as split by the pre-tokenizer. */
  words: number[]
  /** Text of each token: that of the vocabulary, or for an added token the text that was found. */
  texts: string[]
}

/**
 * Encodes text like Python's `tokenizers`: added tokens are extracted, the rest is normalised and split into words, and
 * words are split into tokens of the vocabulary.
 */
export class Encoder {
  private readonly literal: AddedTokens // searched in the original text
  private readonly normal: AddedTokens // searched in the normalised text
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
    // If the model converts words to bytes itself, offsets are cheaper to compute.
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

/** The text of an added token, normalised if it is searched in normalised text. */
export function normalizedContent(token: AddedTokenJson, normalizer?: Normalizer): string {
  if (!isNormalized(token) || !normalizer) return token.content
  return normalizer(new AlignedText(token.content)).text
}

function isNormalized(token: AddedTokenJson): boolean {
  return token.normalized ?? !token.special
}
