import { HeedError } from '../util/errors.ts'
import { trainBpe } from './bpe-trainer.ts'
import { CharCounts } from './char-counts.ts'
import { Tokenizer } from './tokenizer.ts'
import {
  byteLevelJson,
  charLevelJson,
  END_OF_TEXT,
  specialToken,
  UNKNOWN,
} from './tokenizer-json.ts'
import { WordCounts } from './word-counts.ts'

export interface TrainTokenizerOptions {
  type: 'char' | 'bpe'
  /**
   * BPE: how many tokens to learn, at most; a small text may give fewer. Characters: how many to
   * keep, with the unknown token; without it all of them.
   */
  vocabSize?: number
  /** BPE: pairs seen less often are not merged. Default 2. */
  minFrequency?: number
  onProgress?: (progress: TokenizerProgress) => void
}

export interface TokenizerProgress {
  /** `count` reads the texts (`done` characters so far), `merge` learns tokens. */
  stage: 'count' | 'merge'
  done: number
  total?: number
}

/** Learns a vocabulary. The texts may be pieces of one, as `readText` cuts them. */
export function trainTokenizer(texts: Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  return options.type === 'char' ? trainChars(texts, options) : trainWords(texts, options)
}

/** The bounds of a BPE vocabulary: every byte and the end of text; ids that pack in pairs. */
export const MIN_BPE_VOCAB = 257
export const MAX_BPE_VOCAB = 1_000_000

function trainChars(texts: Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  const { vocabSize } = options
  if (vocabSize !== undefined) checkVocabSize(vocabSize, 2, 'a character vocabulary')
  const counts = new CharCounts()
  count(texts, (text) => counts.add(text), options)
  const characters = counts.characters(vocabSize === undefined ? undefined : vocabSize - 1)
  return Tokenizer.fromJSON(charLevelJson(characters), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: UNKNOWN,
    clean_up_tokenization_spaces: false,
  })
}

function trainWords(texts: Iterable<string>, options: TrainTokenizerOptions): Tokenizer {
  const { vocabSize = 4096, minFrequency = 2, onProgress } = options
  checkVocabSize(vocabSize, MIN_BPE_VOCAB, 'a byte-level BPE vocabulary')
  const counts = new WordCounts()
  count(texts, (text) => counts.add(text), options)
  const { tokens, merges } = trainBpe(counts.words, {
    vocabSize,
    minFrequency,
    specialTokens: [END_OF_TEXT],
    onMerge: (done) => {
      if (done % 64 === 0) onProgress?.({ stage: 'merge', done, total: vocabSize })
    },
  })
  onProgress?.({ stage: 'merge', done: tokens.length, total: tokens.length })
  const vocab = tokens.map((token, id) => [token, id] as const)
  return Tokenizer.fromJSON(byteLevelJson(vocab, merges, [specialToken(END_OF_TEXT, 0)]), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: END_OF_TEXT,
    eos_token: END_OF_TEXT,
    unk_token: END_OF_TEXT,
    clean_up_tokenization_spaces: false,
  })
}

function count(
  texts: Iterable<string>,
  add: (text: string) => void,
  { onProgress }: TrainTokenizerOptions,
): void {
  let done = 0
  for (const text of texts) {
    add(text)
    done += text.length
    onProgress?.({ stage: 'count', done })
  }
  if (done > 0) return
  throw new HeedError('the text to train the tokenizer on is empty', {
    remedy: 'Give a file or folder with some text in it.',
  })
}

function checkVocabSize(vocabSize: number, least: number, what: string): void {
  if (Number.isInteger(vocabSize) && vocabSize >= least && vocabSize <= MAX_BPE_VOCAB) return
  throw new HeedError(`vocabulary size ${vocabSize} does not fit ${what}`, {
    remedy: `Choose a whole number from ${least} to ${MAX_BPE_VOCAB}.`,
  })
}
