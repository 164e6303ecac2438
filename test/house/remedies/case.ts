/** A remedy that names values (`try`): each of them is applied, and must work. */
export interface RemedyCase {
  /** Where the error is made: `src/train/config.ts#checkSize`, the file and the function. */
  site: string
  /** What is wrong, when a site has several cases. */
  about?: string
  /** Fails with the error when nothing is changed. `changes` holds one key of `try` with one of its values. */
  run(changes: Readonly<Record<string, unknown>>): unknown
}
