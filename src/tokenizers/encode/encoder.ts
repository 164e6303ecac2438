import type { AddedTokenJson, ComponentJson, TokenizerJson } from '../formats/tokenizer-json.ts'
import { AddedTokens } from './added-tokens.ts'
import { Aligned } from './aligned.ts'
import { makeNormalizer, type Normalizer } from './normalizers.ts'
import type { WordModel } from './pieces.ts'
import { makePreTokenizer, type PreTokenizer } from './pre-tokenizers.ts'
import { makeWordModel } from './word-models.ts'

/** One text as tokens, before anything is put around it; parallel lists. */
export interface TextTokens {
  ids: number[]
  /** UTF-16 indices into the text: `text.slice(start, end)` is what the token stands for. */
  offsets: [start: number, end: number][]
  /** The word that each token is part of, counted as the pre-tokenizer cuts them. */
  words: number[]
}

/**
 * Text to ids as Python's `tokenizers` does it: added tokens are cut out, the rest is normalised,
 * cut into words, and each word into tokens of the vocabulary.
 */
export class Encoder {
  private readonly literal: AddedTokens // found in the text as it is
  private readonly normal: AddedTokens // found in the normalised text
  private readonly normalizer: Normalizer | undefined
  private readonly preTokenizer: PreTokenizer | undefined
  private readonly model: WordModel

  constructor(json: TokenizerJson, vocab: ReadonlyMap<string, number>) {
    const { steps, byteLevel } = withoutLastBytes(json.pre_tokenizer)
    const normalizer = makeNormalizer(json.normalizer)
    this.normalizer = normalizer
    this.preTokenizer = steps ? makePreTokenizer(steps) : undefined
    this.model = makeWordModel(json.model, vocab, byteLevel)
    const added = json.added_tokens ?? []
    const find = (token: AddedTokenJson) => [token.content, token] as const
    const findNormal = (token: AddedTokenJson) => {
      return [normalizer?.(new Aligned(token.content)).text ?? token.content, token] as const
    }
    this.literal = new AddedTokens(added.filter((token) => !isNormalized(token)).map(find))
    this.normal = new AddedTokens(added.filter(isNormalized).map(findNormal))
  }

  /** Appends the ids of a text. */
  encode(text: string, out: number[]): void {
    this.eachPart(
      text,
      (id) => out.push(id),
      (word) => {
        for (const id of this.model.encode(word.text).ids) out.push(id)
      },
    )
  }

  encodeWithOffsets(text: string): TextTokens {
    const tokens: TextTokens = { ids: [], offsets: [], words: [] }
    let words = 0
    const push = (id: number, start: number, end: number): void => {
      tokens.ids.push(id)
      tokens.offsets.push([start, end])
      tokens.words.push(words)
    }
    this.eachPart(
      text,
      (id, start, end) => {
        push(id, start, end)
        words++
      },
      (word) => {
        const { ids, starts, ends } = this.model.encode(word.text)
        ids.forEach((id, i) => {
          push(id, word.start(starts[i]), word.end(ends[i] - 1))
        })
        words++
      },
    )
    return tokens
  }

  private eachPart(
    text: string,
    useAdded: (id: number, start: number, end: number) => void,
    useWord: (word: Aligned) => void,
  ): void {
    cut(new Aligned(text), this.literal, useAdded, (part) => {
      const normalized = this.normalizer ? this.normalizer(part) : part
      cut(normalized, this.normal, useAdded, (rest) => {
        const words = this.preTokenizer ? this.preTokenizer(rest) : [rest]
        for (const word of words) if (word.text !== '') useWord(word)
      })
    })
  }
}

function cut(
  text: Aligned,
  tokens: AddedTokens,
  useAdded: (id: number, start: number, end: number) => void,
  useRest: (part: Aligned) => void,
): void {
  let at = 0
  for (const { id, from, to } of tokens.find(text.text)) {
    if (from > at) useRest(text.slice(at, from))
    useAdded(id, text.start(from), text.end(to - 1))
    at = to
  }
  if (at === 0) useRest(text)
  else if (at < text.text.length) useRest(text.slice(at, text.text.length))
}

function isNormalized(token: AddedTokenJson): boolean {
  return token.normalized ?? !token.special
}

/** A last change to byte characters is left to the model, which keeps words as they were read. */
function withoutLastBytes(config: ComponentJson | null): {
  steps: ComponentJson | null
  byteLevel: boolean
} {
  const steps = config === null ? [] : flatten(config)
  const last = steps.at(-1)
  if (last?.type !== 'ByteLevel') return { steps: config, byteLevel: false }
  const rest = steps.slice(0, -1)
  if (last.add_prefix_space !== false) rest.push(PREFIX_SPACE)
  if (last.use_regex !== false) rest.push({ type: 'Gpt2Split' })
  return { steps: { type: 'Sequence', pretokenizers: rest }, byteLevel: true }
}

const PREFIX_SPACE = { type: 'PrefixSpace' }

function flatten(config: ComponentJson): ComponentJson[] {
  if (config.type !== 'Sequence' || !Array.isArray(config.pretokenizers)) return [config]
  return config.pretokenizers.flatMap(flatten)
}
