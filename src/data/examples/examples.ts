/** Examples by number, wherever they are kept; a list is one. */
export interface Examples<E> {
  readonly length: number
  at(index: number): E | undefined
  /** What batches are bucketed by, where that is known without looking at the examples. */
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

/** The first so many, or all there are. */
export function firstExamples<E>(all: Examples<E>, most = all.length): E[] {
  return Array.from({ length: Math.min(most, all.length) }, (_, i) => all.at(i) as E)
}

/** Examples one behind the other, each as `Packer` packs it. */
export interface PackedExamples {
  bytes: Uint8Array<ArrayBuffer>
  /** Of each, in bytes. */
  sizes: Uint32Array<ArrayBuffer>
  /** What each is bucketed by. */
  lengths: Uint32Array<ArrayBuffer>
}
