import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { instanceOf, oneOf, optionKinds } from '../util/options.ts'
import { deriveSeed, shuffledIndices } from '../util/random.ts'
import { findSegment, MemorySource, TOKEN_SOURCE, type TokenSource } from './token-source.ts'

/** Options of `TokenDataset.split`. */
export interface SplitOptions {
  /** Fraction of the tokens for validation. Default 0.1. */
  fraction?: number
  /** `end` takes the end of the text; `document` takes whole documents, drawn with `seed`. Default `end`. */
  by?: 'end' | 'document'
  /** Seed of the choice of documents. Default 0. */
  seed?: number
}

/** The tokens of a text, or of ranges of it, as one sequence. */
export class TokenDataset {
  /** Number of tokens. */
  readonly length: number
  /** Size of the vocabulary. All ids are below it. */
  readonly vocabSize: number
  /** The position at which each document starts. */
  readonly documents: readonly number[]
  /** Name in messages: `data`, `training` or `validation`. */
  readonly name: string
  private readonly source: TokenSource
  private readonly stretches: Stretches

  private constructor(options: DatasetOptions) {
    DATASET.check('TokenDataset', options)
    this.name = options.name
    this.source = options.source
    this.vocabSize = options.vocabSize
    this.documents = options.documents
    this.stretches = joinStretches(options.ranges)
    this.length = this.stretches.length
  }

  /** Makes a data set from ids in memory. @throws HeedError for ids that are not integers */
  static fromIds(ids: Iterable<number>, options: { vocabSize: number }): TokenDataset {
    checkFromIds(ids, options)
    const kept = ids instanceof Int32Array ? ids : Int32Array.from(ids, wholeId)
    const dataset = TokenDataset.fromSource(new MemorySource(kept), { ...options, documents: [0] })
    dataset.checkIds(kept, 0, kept.length, 0)
    return dataset
  }

  /**
   * Creates a data set whose ids are read on demand.
   * @param options `documents`: the position at which each document starts
   * @throws HeedError for options of another type
   */
  static fromSource(
    source: TokenSource,
    options: { vocabSize: number; documents: readonly number[] },
  ): TokenDataset {
    checkFromSource(source)
    SOURCE.checkValues('fromSource', options)
    const { vocabSize, documents } = options
    const ranges: Range[] = [[0, source.length]]
    return new TokenDataset({ name: 'data', source, vocabSize, documents, ranges })
  }

  /**
   * Copies `count` ids, starting at `start`, to `out` at position `at`.
   * @throws HeedError for a range outside of the data set, and for ids outside of the vocabulary
   */
  read(start: number, count: number, out: Int32Array = new Int32Array(count), at = 0): Int32Array {
    const isWhole = Number.isSafeInteger(start) && Number.isSafeInteger(count)
    if (!(isWhole && start >= 0 && count >= 0 && start + count <= this.length)) {
      throw new HeedError(
        'invalid-option',
        `The range to read must be within the ${this.length} tokens of the ${this.name} set, got ${start} to ${start + count}`,
        { remedy: 'Read fewer tokens.' },
      )
    }
    checkRead(out, at)
    if (out.length < at + count)
      throw wrongArgument('TokenDataset.read', 'out', out, `an array of ${at + count} ids or more`)
    const { starts, offsets, length } = this.stretches
    let stretch = findSegment(starts, start)
    for (let done = 0; done < count; stretch++) {
      const position = start + done
      const end = stretch + 1 < starts.length ? starts[stretch + 1] : length
      const here = Math.min(count - done, end - position)
      this.source.read(offsets[stretch] + position - starts[stretch], here, out, at + done)
      done += here
    }
    this.checkIds(out, at, at + count, start)
    return out
  }

  /** Splits the data into two disjoint sets. @throws HeedError if there are too few documents */
  split(options: SplitOptions = {}): { train: TokenDataset; validation: TokenDataset } {
    SPLIT.check('split', options)
    const { fraction = 0.1, by = 'end', seed = 0 } = options
    if (!(fraction >= 0 && fraction < 1)) {
      throw invalidOption({
        key: 'fraction',
        value: fraction,
        expected: 'at least 0 and below 1',
        try: { fraction: [0.1] },
      })
    }
    if (by === 'end' || fraction === 0) return this.splitEnd(fraction)
    return this.splitDocuments(fraction, seed)
  }

  /** Closes the files, which data sets split from this one share. */
  close(): void {
    this.source.close()
  }

  private splitEnd(fraction: number): { train: TokenDataset; validation: TokenDataset } {
    const cut = this.length - Math.round(this.length * fraction)
    return {
      train: this.part('training', [[0, cut]]),
      validation: this.part('validation', [[cut, this.length]]),
    }
  }

  private splitDocuments(
    fraction: number,
    seed: number,
  ): { train: TokenDataset; validation: TokenDataset } {
    const { documents } = this
    if (documents.length < 2) {
      throw new HeedError(
        'invalid-data',
        'Data to split by document must have at least 2 documents, got 1',
        { remedy: 'Set `by` to "end", or pass a folder with a file for each document.' },
      )
    }
    const held = new Set<number>()
    let tokens = 0
    for (const d of shuffledIndices(documents.length, deriveSeed(seed, 'split'), 0)) {
      if (
        held.size > 0 &&
        (tokens >= this.length * fraction || held.size === documents.length - 1)
      ) {
        break
      }
      held.add(d)
      tokens += this.endOf(d) - documents[d]
    }
    const ranges = documents.map((start, d): Range => [start, this.endOf(d)])
    return {
      train: this.part(
        'training',
        ranges.filter((_, d) => !held.has(d)),
      ),
      validation: this.part(
        'validation',
        ranges.filter((_, d) => held.has(d)),
      ),
    }
  }

  private endOf(document: number): number {
    return this.documents[document + 1] ?? this.length
  }

  /** Makes a data set from ranges of this one. */
  private part(name: string, ranges: Range[]): TokenDataset {
    return new TokenDataset({
      name,
      source: this.source,
      vocabSize: this.vocabSize,
      documents: documentsWithin(this.documents, ranges),
      ranges: ranges.flatMap((range) => this.toSource(range)),
    })
  }

  private toSource([start, end]: Range): Range[] {
    const { starts, offsets, length } = this.stretches
    const ranges: Range[] = []
    for (let s = findSegment(starts, start); s < starts.length && starts[s] < end; s++) {
      const shift = offsets[s] - starts[s]
      const from = Math.max(start, starts[s])
      ranges.push([from + shift, Math.min(end, starts[s + 1] ?? length) + shift])
    }
    return ranges
  }

  private checkIds(ids: Int32Array, from: number, to: number, start: number): void {
    for (let i = from; i < to; i++) {
      if (ids[i] >= 0 && ids[i] < this.vocabSize) continue
      throw new HeedError(
        'invalid-data',
        `Token ids must be below the vocabulary size (${this.vocabSize}), got ${ids[i]} as token ${start + i - from} of the ${this.name} set`,
        { remedy: 'Prepare the data again with the tokenizer of the model.' },
      )
    }
  }
}

type Range = [start: number, end: number]

interface DatasetOptions {
  name: string
  source: TokenSource
  vocabSize: number
  documents: readonly number[]
  ranges: Range[]
}

const SOURCE = optionKinds<Pick<DatasetOptions, 'vocabSize' | 'documents'>>({
  vocabSize: 'size',
  documents: 'numbers',
})
const DATASET = optionKinds<DatasetOptions>({
  name: 'text',
  source: TOKEN_SOURCE,
  vocabSize: 'size',
  documents: 'numbers',
  ranges: 'lists',
})
const SPLIT = optionKinds<SplitOptions>({
  fraction: 'number?',
  by: oneOf(['end', 'document']),
  seed: 'count?',
})
const checkFromSource = argumentKinds('fromSource', { source: TOKEN_SOURCE })
const checkFromIds = argumentKinds('fromIds', {
  ids: 'iterable',
  options: optionKinds<Pick<DatasetOptions, 'vocabSize'>>({ vocabSize: 'size' }),
})
const checkRead = argumentKinds('TokenDataset.read', {
  out: instanceOf('an Int32Array', Int32Array),
  at: 'count',
})

function wholeId(id: number): number {
  checkArgument('fromIds', 'id', id, 'integer')
  return id
}

/** The start of each stretch in the data set, and its offset in the source. */
interface Stretches {
  starts: number[]
  offsets: number[]
  length: number
}

function joinStretches(ranges: Range[]): Stretches {
  const joined: Stretches = { starts: [], offsets: [], length: 0 }
  let lastEnd = -1
  for (const [start, end] of ranges) {
    if (end <= start) continue
    if (start !== lastEnd) {
      joined.starts.push(joined.length)
      joined.offsets.push(start)
    }
    joined.length += end - start
    lastEnd = end
  }
  return joined
}

/** The starts of documents, or of their remaining parts, in a data set that consists of the ranges. */
function documentsWithin(documents: readonly number[], ranges: Range[]): number[] {
  const starts: number[] = []
  let length = 0
  for (const [from, to] of ranges) {
    if (to <= from) continue
    starts.push(length)
    for (let d = findSegment(documents, from) + 1; d < documents.length; d++) {
      if (documents[d] >= to) break
      starts.push(length + documents[d] - from)
    }
    length += to - from
  }
  return starts
}
