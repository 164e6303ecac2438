/** Examples by index, in memory or in a file; an array is one. */
export interface Examples<E> {
  readonly length: number
  at(index: number): E | undefined
  /** Lengths for bucketing, where they are known without reading the examples. */
  readonly lengths?: ArrayLike<number>
}

/** Some of the examples, in the order of their numbers here. */
export function selectExamples<E>(all: Examples<E>, numbers: Uint32Array): Examples<E> {
  const { lengths } = all
  return {
    length: numbers.length,
    at: (index) => all.at(numbers[index]),
    lengths: lengths && numbers.map((number) => lengths[number]),
  }
}

/** The first `most` examples; by default all. */
export function firstExamples<E>(all: Examples<E>, most = all.length): E[] {
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all.at(i) as E)
}

/** Consecutive examples in the format of `Packer`. */
export interface PackedExamples {
  bytes: Uint8Array<ArrayBuffer>
  /** Size of each example in bytes. */
  sizes: Uint32Array<ArrayBuffer>
  /** Length of each example, for bucketing. */
  lengths: Uint32Array<ArrayBuffer>
}
