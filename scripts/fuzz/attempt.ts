import { HeedError } from '../../src/util/errors.ts'

/** Continues after a HeedError, so that one wrong part does not hide the others. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
  }
}
