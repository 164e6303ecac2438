import { argumentKinds } from '../../util/argument-kinds.ts'
import { type HeedError, invalidOption } from '../../util/errors.ts'
import { type LearnedType, MAX_BPE_VOCAB, MIN_BPE_VOCAB } from './train.ts'

/** A tokenizer to train or to load. */
export type TokenizerSpec =
  | { type: 'char' }
  | { type: LearnedType; vocabSize: number }
  | { type: 'file'; path: string }

const checkParseTokenizerSpec = argumentKinds('parseTokenizerSpec', { spec: 'text' })

/**
 * Parses a tokenizer specification: `char`, `bpe`, `wordpiece:8192`, `unigram`, or the path of a tokenizer.
 * @throws HeedError for an invalid size
 */
export function parseTokenizerSpec(spec: string): TokenizerSpec {
  checkParseTokenizerSpec(spec)
  if (spec === 'char') return { type: 'char' }
  const learned = LEARNED.find((type) => spec === type || spec.startsWith(`${type}:`))
  if (learned) return { type: learned, vocabSize: parseVocabSize(spec, learned) }
  if (spec.startsWith('char:')) throw invalid(spec, 'A character vocabulary has no size. Use char.')
  if (spec.trim() === '') throw invalid(spec, 'Use char, bpe:4096, or the path of a tokenizer.')
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
    `Write a size from ${MIN_BPE_VOCAB} to ${MAX_BPE_VOCAB} after the colon, for example ${type}:4096.`,
  )
}

function invalid(spec: string, remedy: string): HeedError {
  return invalidOption({
    key: 'tokenizer',
    value: spec,
    expected: 'char, bpe, wordpiece or unigram, with a size (bpe:4096), or a path',
    remedy,
  })
}
