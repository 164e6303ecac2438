import { HeedError } from '../../util/errors.ts'
import { type LearnedType, MAX_BPE_VOCAB, MIN_BPE_VOCAB } from './train.ts'

/** What to do for a tokenizer: learn one from the text, or load one. */
export type TokenizerSpec =
  | { type: 'char' }
  | { type: LearnedType; vocabSize: number }
  | { type: 'file'; path: string }

/** Reads `char`, `bpe`, `wordpiece:8192`, `unigram`, or the path of a tokenizer.json or of a folder with one. */
export function parseTokenizerSpec(spec: string): TokenizerSpec {
  if (spec === 'char') return { type: 'char' }
  const learned = LEARNED.find((type) => spec === type || spec.startsWith(`${type}:`))
  if (learned) return { type: learned, vocabSize: parseVocabSize(spec, learned) }
  if (spec.startsWith('char:')) throw invalid(spec, 'The character vocabulary takes no size: char')
  if (spec.trim() === '') throw invalid(spec, 'Give char, bpe:4096, or the path of a tokenizer.')
  return { type: 'file', path: spec }
}

const LEARNED: LearnedType[] = ['bpe', 'wordpiece', 'unigram']

function parseVocabSize(spec: string, type: LearnedType): number {
  if (spec === type) return 4096
  const digits = spec.slice(type.length + 1)
  const size = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : Number.NaN
  if (size >= MIN_BPE_VOCAB && size <= MAX_BPE_VOCAB) return size
  throw invalid(
    spec,
    `Give a size from ${MIN_BPE_VOCAB} to ${MAX_BPE_VOCAB} after the colon, as in ${type}:4096.`,
  )
}

function invalid(spec: string, remedy: string): HeedError {
  return new HeedError('corrupt-file', `tokenizer ${JSON.stringify(spec)} is not understood`, {
    remedy,
  })
}
