import { HeedError, OutOfMemoryError } from '../../src/util/errors.ts'

/** Continues after a HeedError, so that one bad part does not hide others. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof HeedError) || hiddenIn(error)) throw error
  }
}

/** Finds a programming error that is the cause of a HeedError; its message would not help a user. */
export function hiddenIn(error: unknown): Error | undefined {
  if (!(error instanceof HeedError) || error instanceof OutOfMemoryError) return undefined
  const { cause } = error
  const isFault =
    (cause instanceof TypeError ||
      cause instanceof RangeError ||
      cause instanceof ReferenceError) &&
    !('code' in cause) // errors of Node have a code, for example those of TextDecoder
  return isFault ? cause : hiddenIn(cause)
}
