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
