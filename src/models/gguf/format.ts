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
  /**
   * Tensors of a layer whose rows are stored as the paper's rotary embeddings need them, and the config key with the
   * number of their heads: `attn_q` -> `num_attention_heads`.
   */
  readonly interleaved: Readonly<Record<string, string>>
  /** What must be added to the weights of norms. */
  readonly normShift: number
}

/** The names of tensors, as GGUF calls them -> as checkpoints do, without `.weight` and `.bias`. */
export interface GGUFNames {
  readonly outer: Readonly<Record<string, string>>
  /** The path of the list of layers: `model.layers`. */
  readonly layers: string
  readonly inner: Readonly<Record<string, string>>
}
