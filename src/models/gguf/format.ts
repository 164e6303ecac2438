// How GGUF files store a family of models.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'

/** How GGUF files store a family, as differences from its Hugging Face folder. */
export interface GGUFFormat {
  /** Value of `general.architecture`. */
  readonly architecture: string
  /** Name of the class in transformers. */
  readonly className: string
  /** Derives the keys of config.json from the metadata and tensors of a file. */
  readonly config: (file: GGUFFile, architecture: string) => Promise<JsonObject>
  /** Names of the tensors. */
  readonly names: GGUFNames
  /** Tensors that are stored differently than in a checkpoint, keyed by GGUF's name within a layer. */
  readonly forms: Readonly<Record<string, StoredForm>>
}

/** Names of tensors in GGUF, mapped to those in checkpoints, without `.weight` and `.bias`. */
export interface GGUFNames {
  /** Tensors outside of layers, such as `token_embd`. */
  readonly outer: Readonly<Record<string, string>>
  /** Path of the list of layers, such as `model.layers`. */
  readonly layers: string
  /** Tensors of a layer, such as `attn_q`, by their names within it. */
  readonly inner: Readonly<Record<string, string>>
}

/** How to convert a stored tensor to that of a checkpoint. */
export interface StoredForm {
  /** Maps a row of the checkpoint to its stored row. */
  readonly rowOrder?: (rows: number, config: JsonObject) => (row: number) => number
  /** Added to each element. */
  readonly shift?: number
  /** Whether the checkpoint stores the matrix as (in, out), like the weight of a `Conv1D`. */
  readonly transposed?: boolean
  /** Whether to read the tensor as float32 even if it is stored in blocks. */
  readonly expanded?: boolean
}

/** The name of a stored tensor: of a layer, or outside of layers. */
const STORED_NAME = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/

/** Name of a tensor within a layer, or outside of layers: the key of `forms`: `attn_q`. */
export const innerName = (stored: string): string | undefined => STORED_NAME.exec(stored)?.[2]

/** The name of a tensor in checkpoints; tensors that the family does not know keep theirs. */
export function checkpointName(stored: string, { outer, layers, inner }: GGUFNames): string {
  const [, layer, path, kind] = STORED_NAME.exec(stored) ?? []
  const names = layer === undefined ? outer : inner
  if (path === undefined || !Object.hasOwn(names, path)) return stored
  return layer === undefined
    ? `${names[path]}.${kind}`
    : `${layers}.${layer}.${names[path]}.${kind}`
}

/** GGUF's name of the weight of the module at a path; null if it has none. */
export function storedWeight(path: string, { outer, layers, inner }: GGUFNames): string | null {
  const nameOf = (names: Readonly<Record<string, string>>, known: string): string | undefined =>
    Object.keys(names).find((name) => names[name] === known)
  const below = path.startsWith(`${layers}.`) ? path.slice(layers.length + 1) : ''
  const [, layer, rest] = /^(\d+)\.(.+)$/.exec(below) ?? []
  const name = layer === undefined ? nameOf(outer, path) : nameOf(inner, rest)
  if (name === undefined) return null
  return layer === undefined ? `${name}.weight` : `blk.${layer}.${name}.weight`
}

/** The stored row of each row of the checkpoint; null if the order is the same. */
export function rowOrderOf(
  { forms }: GGUFFormat,
  stored: string,
  rows: number,
  config: JsonObject,
): number[] | null {
  const name = innerName(stored)
  const form = name !== undefined && Object.hasOwn(forms, name) ? forms[name] : undefined
  const order = form?.rowOrder?.(rows, config)
  return order ? Array.from({ length: rows }, (_, row) => order(row)) : null
}
