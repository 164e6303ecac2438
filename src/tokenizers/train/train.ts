import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError, invalidOption } from '../../util/errors.ts'
import { optionKinds } from '../../util/options.ts'
import { unknownName } from '../../util/registry.ts'
import { BYTE_CHARS } from '../encode/byte-level.ts'
import {
  byteLevelJson,
  charLevelJson,
  END_OF_TEXT,
  specialToken,
  UNKNOWN,
} from '../formats/tokenizer-json.ts'
import { Tokenizer } from '../tokenizer.ts'
import { CharCounts } from './char-counts.ts'
import { trainPairs } from './pair-trainer.ts'
import {
  BERT_NAMES,
  BERT_TOKENS,
  bertSteps,
  sentencePieceSteps,
  T5_NAMES,
  T5_TOKENS,
  unigramJson,
  wordPieceJson,
} from './trained-json.ts'
import { trainUnigram } from './unigram-trainer.ts'
import { gpt2Words, WordCounts, wordsBy } from './word-counts.ts'

/** Options of `trainTokenizer`. */
export interface TrainTokenizerOptions {
  /**
   * Algorithm. `char`: one token per character. `bpe`: byte-level BPE, as in GPT-2. `wordpiece`: WordPiece, as in BERT.
   * `unigram`: unigram language model, as in T5.
   */
  type: 'char' | LearnedType
  /**
   * Maximum vocabulary size; small texts may give fewer tokens. Default 4096. For `char`: number of characters to keep,
   * including the unknown token; all by default.
   */
  vocabSize?: number
  /** BPE, WordPiece: minimum count of a pair to merge. Default 2. */
  minFrequency?: number
  /** All except `char`: additional special tokens at the start of the vocabulary, after those of the type. */
  specialTokens?: string[]
  /** WordPiece: lowercase text and strip accents. Default true. */
  lowercase?: boolean
  /** WordPiece, Unigram: maximum number of different characters; the most frequent are kept. Default 1000. */
  limitAlphabet?: number
  /** Progress callback. An error that it throws aborts the training. */
  onProgress?: (progress: TokenizerProgress) => void
}

/** Progress of training a tokenizer. */
export interface TokenizerProgress {
  /** `count`: reading texts (`done` is in characters); `merge`: learning tokens. */
  stage: 'count' | 'merge'
  /** Characters read, or tokens in the vocabulary so far. */
  done: number
  /** Tokens in the final vocabulary. */
  total?: number
}

const checkTexts = argumentKinds('trainTokenizer', { texts: 'iterable' })
const checkTrainer = argumentKinds('trainTokenizer', {
  options: optionKinds<TrainTokenizerOptions>({
    type: 'text',
    vocabSize: 'size?',
    minFrequency: 'size?',
    specialTokens: 'texts?',
    lowercase: 'flag?',
    limitAlphabet: 'size?',
    onProgress: 'function?',
  }),
})

/**
 * Trains a tokenizer. `texts` may be pieces of one text, such as those of `readText`.
 * @throws HeedError if there is no text, or `vocabSize` is too small for its characters
 */
export function trainTokenizer(texts: Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  checkTexts(texts)
  const trainer = tokenizerTrainer(options)
  for (const text of texts) trainer.add(text)
  return trainer.finish()
}

/** Trains a tokenizer from texts that are added one at a time. Only word counts are kept in memory. */
export interface TokenizerTrainer {
  /** Counts the words of a text. */
  add(text: string): void
  /** @throws HeedError if there was no text, or `vocabSize` is too small for its characters */
  finish(): Tokenizer
}

/** Like `trainTokenizer`, for texts that are added one at a time. */
export function tokenizerTrainer(options: TrainTokenizerOptions): TokenizerTrainer {
  checkTrainer(options)
  if (!Object.hasOwn(LEARNERS, options.type))
    throw unknownName('type of tokenizer', options.type, Object.keys(LEARNERS))
  const { counts, learn } = LEARNERS[options.type](options)
  let done = 0
  return {
    add(text) {
      checkArgument('trainTokenizer', 'texts', text, 'text')
      counts.add(text)
      done += text.length
      options.onProgress?.({ stage: 'count', done })
    },
    finish() {
      if (done > 0) return learn()
      throw new HeedError('invalid-data', 'The text to train a tokenizer on must not be empty', {
        key: 'texts',
        remedy: 'Use a file or folder that contains text.',
      })
    },
  }
}

/** Counts words or characters of the texts, and makes a tokenizer from the counts. */
interface Learner {
  counts: { add(text: string): void }
  learn: () => Tokenizer
}

const LEARNERS = {
  char: learnChars,
  bpe: learnByteLevel,
  wordpiece: learnWordPiece,
  unigram: learnUnigram,
}

/** Types of tokenizers with a given vocabulary size. */
export type LearnedType = 'bpe' | 'wordpiece' | 'unigram'

/** Bounds of a BPE vocabulary: all bytes and the end of text; ids for which the key of a pair is exact. */
export const MIN_BPE_VOCAB = 257
export const MAX_BPE_VOCAB = 1_000_000

function learnChars({ vocabSize }: TrainTokenizerOptions): Learner {
  if (vocabSize !== undefined) checkVocabSize(vocabSize, 2, 'a character vocabulary')
  const counts = new CharCounts()
  const limit = vocabSize === undefined ? undefined : vocabSize - 1
  return { counts, learn: () => charTokenizer(counts.characters(limit)) }
}

function charTokenizer(characters: string[]): Tokenizer {
  return Tokenizer.fromJSON(charLevelJson(characters), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: UNKNOWN,
    clean_up_tokenization_spaces: false,
  })
}

function learnByteLevel(options: TrainTokenizerOptions): Learner {
  checkVocabSize(options.vocabSize ?? DEFAULT_VOCAB, MIN_BPE_VOCAB, 'a byte-level BPE vocabulary')
  return learnWords(gpt2Words, (words) => byteLevelTokenizer(words, options))
}

/** Counts the words that `split` returns, and makes a tokenizer from the counts. */
function learnWords(
  split: (text: string) => string[],
  tokenizerOf: (words: Words) => Tokenizer,
): Learner {
  const counts = new WordCounts(split)
  return { counts, learn: () => tokenizerOf(counts.words) }
}

function byteLevelTokenizer(words: Words, options: TrainTokenizerOptions): Tokenizer {
  const special = specialTokensOf([END_OF_TEXT], options)
  const bytes = [...BYTE_CHARS].sort()
  const idOfByte = BYTE_CHARS.map((char) => special.length + bytes.indexOf(char))
  const encoder = new TextEncoder()
  const { tokens, merges } = trainPairs(words, {
    ...pairOptions(options),
    alphabet: [...special, ...bytes],
    symbolsOf: (word) => Uint32Array.from(encoder.encode(word), (byte) => idOfByte[byte]),
  })
  const vocab = tokens.map((token, id) => [token, id] as const)
  return Tokenizer.fromJSON(byteLevelJson(vocab, merges, special.map(specialToken)), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: END_OF_TEXT,
    eos_token: END_OF_TEXT,
    unk_token: END_OF_TEXT,
    clean_up_tokenization_spaces: false,
  })
}

/** The special tokens of the type, then the additional ones, each once. */
const specialTokensOf = (
  builtIn: readonly string[],
  { specialTokens = [] }: TrainTokenizerOptions,
): string[] => [...new Set([...builtIn, ...specialTokens])]

/** Trains like Hugging Face's trainer for BERT: pairs of characters, with `##` inside words. */
function learnWordPiece(options: TrainTokenizerOptions): Learner {
  const steps = bertSteps(options.lowercase ?? true)
  return learnWords(wordsBy(steps.normalizer, steps.pre_tokenizer), (words) =>
    wordPieceTokenizer(words, steps, options),
  )
}

function wordPieceTokenizer(
  words: Words,
  steps: ReturnType<typeof bertSteps>,
  options: TrainTokenizerOptions,
): Tokenizer {
  const { lowercase = true, limitAlphabet = DEFAULT_ALPHABET } = options
  const special = specialTokensOf(BERT_TOKENS, options)
  const characters = charactersOf(words, limitAlphabet)
  const inside = new Set<string>()
  for (const word of words.keys()) for (const c of Array.from(word).slice(1)) inside.add(c)
  const continued = characters.filter((character) => inside.has(character))
  const alphabet = [...special, ...characters, ...continued.map((c) => `##${c}`)]
  checkVocabSize(options.vocabSize ?? DEFAULT_VOCAB, alphabet.length, 'this WordPiece vocabulary')
  const idOf = new Map(alphabet.map((token, id) => [token, id]))
  const symbolsOf = (word: string): number[] =>
    Array.from(word, (character, i) => idOf.get(i === 0 ? character : `##${character}`) ?? -1)
  const { tokens } = trainPairs(words, {
    ...pairOptions(options),
    alphabet,
    symbolsOf,
    prefix: '##',
  })
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const added = special.map((token) => specialToken(token, ids.get(token) ?? 0))
  const json = wordPieceJson(ids, { ids, names: BERT_NAMES, added, steps })
  return Tokenizer.fromJSON(json, {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: lowercase,
    ...BERT_NAMES,
  })
}

/** Trains like SentencePiece for T5. */
function learnUnigram(options: TrainTokenizerOptions): Learner {
  const steps = sentencePieceSteps()
  return learnWords(wordsBy(steps.normalizer, steps.pre_tokenizer), (words) =>
    unigramTokenizer(words, steps, options),
  )
}

function unigramTokenizer(
  words: Words,
  steps: ReturnType<typeof sentencePieceSteps>,
  options: TrainTokenizerOptions,
): Tokenizer {
  const { vocabSize = DEFAULT_VOCAB, limitAlphabet = DEFAULT_ALPHABET, onProgress } = options
  const special = specialTokensOf(T5_TOKENS, options)
  const characters = charactersOf(words, limitAlphabet)
  checkVocabSize(vocabSize, special.length + characters.length, 'this Unigram vocabulary')
  const pieces = trainUnigram(words, {
    size: vocabSize - special.length,
    characters,
    onPrune: (done) =>
      onProgress?.({ stage: 'merge', done: vocabSize, total: Math.max(done, vocabSize) }),
  })
  return Tokenizer.fromJSON(unigramJson(pieces, special, steps), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    ...T5_NAMES,
  })
}

const DEFAULT_VOCAB = 4096
const DEFAULT_ALPHABET = 1000

function pairOptions({
  vocabSize = DEFAULT_VOCAB,
  minFrequency = 2,
  onProgress,
}: TrainTokenizerOptions) {
  return {
    vocabSize,
    minFrequency,
    onMerge: (done: number) => {
      if (done % 64 === 0 || done === vocabSize)
        onProgress?.({ stage: 'merge', done, total: vocabSize })
    },
  }
}

type Words = ReadonlyMap<string, number>

function charactersOf(words: Words, limit: number): string[] {
  const counts = new CharCounts()
  for (const [word, times] of words) counts.add(word, times)
  return counts.characters(limit)
}

function checkVocabSize(vocabSize: number, least: number, what: string): void {
  if (Number.isInteger(vocabSize) && vocabSize >= least && vocabSize <= MAX_BPE_VOCAB) return
  throw invalidOption({
    key: 'vocabSize',
    value: vocabSize,
    expected: `a whole number from ${least} to ${MAX_BPE_VOCAB} for ${what}`,
    try: { vocabSize: [least, Math.max(least, DEFAULT_VOCAB)] },
  })
}
