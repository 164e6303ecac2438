// How GGUF files store a family of models: what differs from its Hugging Face folder.
import type { JsonObject } from '../../io/files/json.ts'
import type { GGUFFile } from '../../io/gguf/gguf.ts'

export interface GGUFFormat {
  /** `general.architecture`. */
  readonly architecture: string
  /** The class in transformers. */
  readonly className: string
  /** The keys of config.json, from the metadata and tensors of a file. */
  readonly config: (file: GGUFFile, architecture: string) => Promise<JsonObject>
  readonly names: GGUFNames
  /** The tensors that are stored in another form than in a checkpoint, by GGUF's name within a layer. */
  readonly forms: Readonly<Record<string, StoredForm>>
}

/** The names of tensors, as GGUF calls them -> as checkpoints do, without `.weight` and `.bias`. */
export interface GGUFNames {
  readonly outer: Readonly<Record<string, string>>
  /** The path of the list of layers: `model.layers`. */
  readonly layers: string
  readonly inner: Readonly<Record<string, string>>
}

/** What turns a stored tensor into that of a checkpoint. */
export interface StoredForm {
  /** The stored row of each row of the checkpoint. */
  readonly rowOrder?: (rows: number, config: JsonObject) => (row: number) => number
  /** Added to each number. */
  readonly shift?: number
  /** The checkpoint has the matrix as (in, out): the weight of a `Conv1D`. */
  readonly transposed?: boolean
  /** Read as float32 even where it is stored in blocks. */
  readonly expanded?: boolean
}
