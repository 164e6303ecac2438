// Metadata of GGUF files that is common to all families.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'

/**
 * Returns a function that reads a number of an architecture by the rest of its key, such as `block_count`. @throws
 * HeedError if it is missing
 */
export const numberReader =
  ({ metadata }: GGUFFile, architecture: string) =>
  (key: string): number =>
    shortest(metadata.number(`${architecture}.${key}`))

/** Undoes the rounding to float32: 1e-5 is stored as 9.999999747378752e-6. */
export const shortest = (value: number): number =>
  Number.isInteger(value) ? value : Number(Math.fround(value).toPrecision(7))

/** The ids of special tokens, with the keys of config.json. */
export function tokenIds({ metadata }: GGUFFile): JsonObject {
  const id = (name: string): number | undefined =>
    metadata.number(`tokenizer.ggml.${name}_token_id`, undefined)
  const ends = [id('eos'), id('eot'), id('eom')].filter((end) => end !== undefined)
  return {
    bos_token_id: id('bos') ?? null,
    eos_token_id: ends.length > 1 ? [...new Set(ends)] : (ends[0] ?? null),
    pad_token_id: id('padding') ?? null,
  }
}
