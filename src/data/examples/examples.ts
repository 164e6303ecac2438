import { argumentKinds } from '../../util/argument-kinds.ts'
import { wrongArgument } from '../../util/check-argument.ts'
import { instanceOf } from '../../util/options.ts'

const checkSelect = argumentKinds('selectExamples', { all: 'collection', numbers: 'numbers' })
const checkFirst = argumentKinds('firstExamples', { all: 'collection', most: 'count' })

/** A collection of examples by index, in memory or in a file. Arrays qualify. */
export interface Examples<E> {
  /** Number of examples. */
  readonly length: number
  /** Returns an example, counted from 0; undefined if the index is out of range. */
  at(index: number): E | undefined
  /** Lengths for bucketing, if they are known without reading the examples. */
  readonly lengths?: ArrayLike<number>
}

/**
 * Selects examples by index, in the order of `numbers`.
 * @throws HeedError for an index out of range
 */
export function selectExamples<E>(all: Examples<E>, numbers: Uint32Array): Examples<E> {
  checkSelect(all, numbers)
  for (const number of numbers)
    if (!Number.isInteger(number) || number < 0 || number >= all.length)
      throw wrongArgument('selectExamples', 'numbers', number, `indices of ${all.length} examples`)
  const { lengths } = all
  return {
    length: numbers.length,
    at: (index) => all.at(numbers[index]),
    lengths: lengths && numbers.map((number) => lengths[number]),
  }
}

/** Returns the first `most` examples as an array; all by default. */
export function firstExamples<E>(all: Examples<E>, most = all?.length): E[] {
  checkFirst(all, most)
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all.at(i) as E)
}

const UINTS = instanceOf('a Uint32Array', Uint32Array)
const checkParts = argumentKinds('Packed examples', {
  bytes: 'bytes',
  sizes: UINTS,
  lengths: UINTS,
})

/** @throws HeedError if `packed` is not a PackedExamples */
export function checkPacked(packed: PackedExamples): void {
  const { bytes, sizes, lengths } = Object(packed)
  checkParts(bytes, sizes, lengths)
}

/** Consecutive examples in the format of `Packer`. */
export interface PackedExamples {
  /** The encoded examples, one after the other. */
  bytes: Uint8Array<ArrayBuffer>
  /** Size of each example in bytes. */
  sizes: Uint32Array<ArrayBuffer>
  /** Length of each example, for bucketing. */
  lengths: Uint32Array<ArrayBuffer>
}
