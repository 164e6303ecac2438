// Adds pieces of a domain to the vocabulary of a BPE tokenizer: training continues where it ended, on other texts.
import { isJsonObject } from '../../io/files/json-parse.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import type { ComponentJson, TokenizerJson } from '../formats/tokenizer-json.ts'
import { Tokenizer } from '../tokenizer.ts'
import { trainPairs } from './pair-trainer.ts'
import {
  MAX_BPE_VOCAB,
  type TokenizerProgress,
  type TokenizerTrainer,
  type TrainTokenizerOptions,
} from './train.ts'
import { WordCounts } from './word-counts.ts'

/** Options of `extendTokenizer`. */
export interface ExtendTokenizerOptions
  extends Pick<TrainTokenizerOptions, 'minFrequency' | 'onProgress'> {
  /** Number of pieces to add. */
  pieces: number
}

const checkTexts = argumentKinds('extendTokenizer', { texts: 'iterable' })
const checkExtender = argumentKinds('extendTokenizer', {
  tokenizer: 'tokenizer',
  options: optionKinds<ExtendTokenizerOptions>({
    pieces: 'size',
    minFrequency: 'size?',
    onProgress: 'function?',
  }),
})

/**
 * Adds pieces that are frequent in `texts` to a BPE tokenizer. The merges of byte-pair encoding (Sennrich et al., 2016) are
 * continued on the texts, so that each new piece joins two earlier ones and all old merges keep their order: tokens have
 * the same ids, and a text is cut as before wherever no new piece applies. New pieces have the next ids. The result is an
 * ordinary tokenizer.json. `tokenPieces` and `remapTokenEmbeddings` of heed/models give a model rows for the new pieces.
 * @throws HeedError for tokenizers of other types and of characters, and if the texts have fewer pieces
 */
export function extendTokenizer(
  tokenizer: Tokenizer,
  texts: Iterable<string>,
  options: ExtendTokenizerOptions,
): Tokenizer {
  checkExtender(tokenizer, options)
  checkTexts(texts)
  const extender = tokenizerExtender(tokenizer, options)
  for (const text of texts) extender.add(text)
  return extender.finish()
}

/**
 * Like `extendTokenizer`, for texts that are added one at a time.
 * @throws HeedError as `extendTokenizer` does
 */
export function tokenizerExtender(
  tokenizer: Tokenizer,
  options: ExtendTokenizerOptions,
): TokenizerTrainer {
  checkExtender(tokenizer, options)
  const json = tokenizer.toJSON()
  checkExtensible(json)
  const most = MAX_BPE_VOCAB - tokenizer.vocabSize
  if (options.pieces > most) throw tooMany(options.pieces, most, 'the room in the vocabulary')
  const counts = new WordCounts((text) => wordsIn(tokenizer, json, text))
  let done = 0
  return {
    add(text) {
      checkArgument('extendTokenizer', 'texts', text, 'text')
      for (const part of tokenizer.cutPieces([text])) counts.add(part)
      done += text.length
      options.onProgress?.({ stage: 'count', done })
    },
    finish: () => extended(tokenizer, json, counts.words, options),
  }
}

/** @throws HeedError for tokenizers whose words are not joined by merges */
function checkExtensible({ model, pre_tokenizer }: TokenizerJson): void {
  const isOfCharacters = pre_tokenizer === null && mergesOf(model).length === 0
  if (model.type === 'BPE' && !isOfCharacters) return
  throw new HeedError(
    'unsupported',
    `The tokenizer must be of type BPE with merges to be extended, got ${isOfCharacters ? 'single characters' : model.type}`,
    {
      key: 'tokenizer',
      value: model.type,
      remedy:
        'Byte-level BPE (GPT-2, Llama 3, Qwen) and BPE of SentencePiece (Llama 2, Gemma) can be extended. Instead of another one, train a new tokenizer on the domain: `tokenizer` bpe:4096.',
    },
  )
}

const mergesOf = ({ merges }: ComponentJson): readonly unknown[] =>
  Array.isArray(merges) ? merges : []

/** The words of a text as the ids of their tokens, separated by spaces: what further merges can join. */
function wordsIn(tokenizer: Tokenizer, { pre_tokenizer }: TokenizerJson, text: string): string[] {
  const { ids, tokens, wordIds } = tokenizer.encodeWithOffsets(text, { addSpecialTokens: false })
  // Without a step that splits words, as in Llama 2, a whole text is one word, and ▁ begins the words in it.
  const begins = (i: number): boolean =>
    wordIds[i] !== wordIds[i - 1] || (pre_tokenizer === null && tokens[i].startsWith('▁'))
  const words: string[] = []
  ids.forEach((id, i) => {
    if (i === 0 || begins(i)) words.push(String(id))
    else words[words.length - 1] += ` ${id}`
  })
  return words
}

function extended(
  tokenizer: Tokenizer,
  json: TokenizerJson,
  words: ReadonlyMap<string, number>,
  { pieces, minFrequency = 2, onProgress }: ExtendTokenizerOptions,
): Tokenizer {
  const { vocabSize } = tokenizer
  const { continuing_subword_prefix: prefix } = json.model
  const isJoined = joinable(tokenizer, json)
  const total = vocabSize + pieces
  const { tokens, merges } = trainPairs(words, {
    vocabSize: total,
    minFrequency,
    alphabet: Array.from({ length: vocabSize }, (_, id) => tokenizer.idToToken(id) ?? ''),
    symbolsOf: (word) => word.split(' ').map((id) => (isJoined(Number(id)) ? Number(id) : -1)),
    prefix: typeof prefix === 'string' ? prefix : '',
    isNewOnly: true,
    onMerge: (done) => reportMerge(onProgress, done, total),
  })
  if (merges.length < pieces)
    throw tooMany(pieces, merges.length, `the number of pieces that occur ${minFrequency} times or more`) // biome-ignore format: one line
  const model = withPieces(json, tokens.slice(vocabSize), { merges, vocabSize })
  return Tokenizer.fromJSON({ ...json, model }, tokenizer.config)
}

function reportMerge(
  onProgress: ((progress: TokenizerProgress) => void) | undefined,
  done: number,
  total: number,
): void {
  if (done % 64 === 0 || done === total) onProgress?.({ stage: 'merge', done, total })
}

function tooMany(pieces: number, most: number, what: string): HeedError {
  if (most > 0)
    return invalidOption({
      key: 'pieces',
      value: pieces,
      expected: `at most ${what} (${most})`,
      try: { pieces: [most] },
    })
  return new HeedError('invalid-data', 'The texts must have at least one new piece, got none', {
    key: 'pieces',
    value: pieces,
    remedy: 'Give more text of the domain.',
  })
}

/** Tokens that may be part of a piece: no added tokens, no unknown token, no single bytes of characters. */
function joinable(tokenizer: Tokenizer, { added_tokens = [] }: TokenizerJson) {
  const others = new Set(added_tokens.map(({ id }) => id))
  const { unkTokenId } = tokenizer
  return (id: number): boolean =>
    !others.has(id) && id !== unkTokenId && !BYTE.test(tokenizer.idToToken(id) ?? '')
}

const BYTE = /^<0x[\dA-F]{2}>$/i

/** The model with further tokens and merges. */
function withPieces(
  { model, added_tokens = [] }: TokenizerJson,
  tokens: readonly string[],
  { merges, vocabSize }: { merges: readonly string[]; vocabSize: number },
): ComponentJson {
  const vocab = isJsonObject(model.vocab) ? Object.entries(model.vocab) : []
  const known = new Set(vocab.map(([token]) => token))
  // Readers count added tokens that the model does not have after its tokens, which would shift their ids.
  const added = added_tokens.filter(({ content }) => !known.has(content))
  const before = mergesOf(model)
  const asLists = Array.isArray(before[0])
  return {
    ...model,
    vocab: Object.fromEntries([
      ...vocab,
      ...added.map(({ content, id }) => [content, id] as const),
      ...tokens.map((token, i) => [token, vocabSize + i] as const),
    ]),
    merges: [...before, ...(asLists ? merges.map((merge) => merge.split(' ')) : merges)],
  }
}
