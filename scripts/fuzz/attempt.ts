import { HeedError, OutOfMemoryError } from '../../src/util/errors.ts'

/** Continues after a HeedError, so that one wrong part does not hide the others. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof HeedError) || hiddenIn(error)) throw error
  }
}

/** A fault of a program that a HeedError has as its cause: its message says nothing to a user. */
export function hiddenIn(error: unknown): Error | undefined {
  if (!(error instanceof HeedError) || error instanceof OutOfMemoryError) return undefined
  const { cause } = error
  const isFault =
    (cause instanceof TypeError ||
      cause instanceof RangeError ||
      cause instanceof ReferenceError) &&
    !('code' in cause) // those of Node, for example of TextDecoder
  return isFault ? cause : hiddenIn(cause)
}
