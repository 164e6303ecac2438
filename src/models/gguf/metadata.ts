// What the metadata of GGUF files says in the same way for all families.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'

/** Reads the numbers of an architecture by the rest of their key: `block_count`. @throws HeedError for a missing one */
export const numberReader =
  ({ metadata }: GGUFFile, architecture: string) =>
  (key: string): number =>
    shortest(metadata.number(`${architecture}.${key}`))

/** 1e-5 was stored as a float32, which is 9.999999747378752e-6. */
export const shortest = (value: number): number =>
  Number.isInteger(value) ? value : Number(Math.fround(value).toPrecision(7))

/** The ids of special tokens, under the keys of config.json. */
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
