import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { findSegment, type TokenSource } from '../token-source.ts'
import { type Examples, firstExamples } from './examples.ts'

const checkJoined = argumentKinds('JoinedExamples', { examples: 'collection' })

/** Presents examples of token ids as one long sequence. */
export class JoinedExamples implements TokenSource {
  /** Number of tokens of all examples. */
  readonly length: number
  private readonly examples: Examples<readonly number[]>
  private readonly starts: Float64Array

  /** Joins examples. Without `examples.lengths`, all of them are read once. */
  constructor(examples: Examples<readonly number[]>) {
    checkJoined(examples)
    this.examples = examples
    const lengths = examples.lengths ?? firstExamples(examples).map(lengthOf)
    this.starts = new Float64Array(lengths.length)
    let length = 0
    for (let i = 0; i < lengths.length; i++) {
      this.starts[i] = length
      length += lengths[i]
    }
    this.length = length
  }

  read(start: number, count: number, out: Int32Array, at: number): void {
    let example = findSegment(this.starts, start)
    for (let done = 0; done < count; example++) {
      const within = start + done - this.starts[example]
      const ids = this.idsOf(example).slice(within, within + count - done)
      out.set(ids, at + done)
      done += ids.length
    }
  }

  private idsOf(example: number): readonly number[] {
    const ids = this.examples.at(example)
    const end = this.starts[example + 1] ?? this.length
    if (ids && this.starts[example] + ids.length === end) return ids
    throw new HeedError('corrupt-file', `Example ${example} must have its stored length`, {
      remedy: 'Delete the cache folder (HEED_CACHE) and run again.',
    })
  }

  /** Does nothing: the examples belong to the caller. */
  close(): void {}
}

function lengthOf(ids: readonly number[]): number {
  checkArgument('JoinedExamples', 'example', ids, 'numbers')
  return ids.length
}
