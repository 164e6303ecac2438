import { HeedError } from '../util/errors.ts'
import { MAX_BPE_VOCAB, MIN_BPE_VOCAB } from './train.ts'

/** What to do for a tokenizer: learn one from the text, or load one. */
export type TokenizerSpec =
  | { type: 'char' }
  | { type: 'bpe'; vocabSize: number }
  | { type: 'file'; path: string }

/** Reads `char`, `bpe`, `bpe:8192`, or the path of a tokenizer.json or of a folder with one. */
export function parseTokenizerSpec(spec: string): TokenizerSpec {
  if (spec === 'char') return { type: 'char' }
  if (spec === 'bpe') return { type: 'bpe', vocabSize: 4096 }
  if (spec.startsWith('bpe:')) return { type: 'bpe', vocabSize: parseVocabSize(spec) }
  if (spec.startsWith('char:')) throw invalid(spec, 'The character vocabulary takes no size: char')
  if (spec.trim() === '') throw invalid(spec, 'Give char, bpe:4096, or the path of a tokenizer.')
  return { type: 'file', path: spec }
}

function parseVocabSize(spec: string): number {
  const digits = spec.slice('bpe:'.length)
  const size = /^[0-9]{1,9}$/.test(digits) ? Number(digits) : Number.NaN
  if (size >= MIN_BPE_VOCAB && size <= MAX_BPE_VOCAB) return size
  throw invalid(
    spec,
    `Give a size from ${MIN_BPE_VOCAB} to ${MAX_BPE_VOCAB} after the colon, as in bpe:4096.`,
  )
}

function invalid(spec: string, remedy: string): HeedError {
  return new HeedError(`tokenizer ${JSON.stringify(spec)} is not understood`, { remedy })
}
