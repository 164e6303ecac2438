// Models of GGUF files: names, config and order of rows as in the Hugging Face checkpoint that the
// file was made from.
import { type GGUFFile, openGGUF } from '../../io/gguf/gguf.ts'
import type { RawConfig } from '../../io/hub/hf.ts'
import type { Piece } from '../../io/safetensors/safetensors.ts'
import type { QuantizedWeight } from '../../nn/index.ts'
import { blockFormats } from '../../util/block-formats.ts'
import { HeedError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import type { WeightFile } from '../weight-file.ts'
import { type Architecture, architectures } from './architectures.ts'
import { ggufConfig } from './config.ts'

export interface GGUFModel {
  config: RawConfig
  weights: WeightFile
}

/**
 * Opens a GGUF file as a model. Close its weights in the end.
 * @throws HeedError for an architecture that is not known, or a tensor that cannot be decoded
 */
export async function openGGUFModel(path: string): Promise<GGUFModel> {
  const file = await openGGUF(path)
  try {
    const architecture = architectureOf(file)
    const config = await ggufConfig(file, architecture)
    return { config, weights: new GGUFWeights(file, architecture, config) }
  } catch (error) {
    await file.close()
    throw error
  }
}

function architectureOf({ metadata, path }: GGUFFile): Architecture {
  const name = metadata.string('general.architecture')
  if (Object.hasOwn(architectures, name)) return architectures[name]
  const known = nearestFirst(name, Object.keys(architectures)).join(', ')
  throw new HeedError(
    'invalid-config',
    `${path} holds a model of the architecture ${JSON.stringify(name)}`,
    {
      remedy: `Known in GGUF files: ${known}.`,
    },
  )
}

class GGUFWeights implements WeightFile {
  readonly path: string
  readonly names: readonly string[]
  private readonly file: GGUFFile
  private readonly stored: ReadonlyMap<string, string>
  private readonly architecture: Architecture
  private readonly config: RawConfig

  constructor(file: GGUFFile, architecture: Architecture, config: RawConfig) {
    this.file = file
    this.path = file.path
    this.architecture = architecture
    this.config = config
    const kept = file.names.filter((name) => !DERIVED.test(name))
    for (const name of kept) file.decodableType(name) // says at once what cannot be read
    this.stored = new Map(kept.map((name) => [checkpointName(name), name]))
    this.names = [...this.stored.keys()]
  }

  info(name: string): { readonly shape: readonly number[] } {
    return this.file.info(this.storedName(name))
  }

  async *pieces(name: string): AsyncGenerator<Piece> {
    const stored = this.storedName(name)
    const heads = this.interleavedHeads(stored)
    if (heads > 0) {
      const [rows] = this.file.info(stored).shape
      const values = inHalves(await this.file.read(stored), rows, heads)
      yield { start: 0, values }
      return
    }
    const shift = NORM.test(stored) ? this.architecture.normShift : 0
    for await (const { start, values } of this.file.pieces(stored))
      yield { start, values: shift === 0 ? values : values.map((value) => value + shift) }
  }

  async blocks(name: string): Promise<QuantizedWeight | null> {
    const stored = this.storedName(name)
    const { type, shape } = this.file.info(stored)
    const format = blockFormats.find((known) => known === type)
    if (format === undefined || shape.length !== 2) return null
    const [rows, columns] = shape
    const data = await this.file.readBlocks(stored)
    const heads = this.interleavedHeads(stored)
    return {
      format,
      shape: [rows, columns],
      data: heads > 0 ? inHalves(data, rows, heads) : data,
    }
  }

  close(): Promise<void> {
    return this.file.close()
  }

  private storedName(name: string): string {
    return this.stored.get(name) ?? name
  }

  /** Among how many heads the rows of queries or keys are shared, where they must change places. */
  private interleavedHeads(stored: string): number {
    if (!this.architecture.interleaved) return 0
    if (/\.attn_q\.(weight|bias)$/.test(stored)) return this.config.num_attention_heads as number
    if (/\.attn_k\.(weight|bias)$/.test(stored)) return this.config.num_key_value_heads as number
    return 0
  }
}

/** Frequencies of rotary embeddings: the config says them. */
const DERIVED = /(^|\.)(rope_freqs|attn_rot_embd)\.weight$/
const NORM = /_norm\.weight$/

function checkpointName(stored: string): string {
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(.+)\.(weight|bias)$/.exec(stored) ?? []
  const names = layer === undefined ? OUTER_NAMES : LAYER_NAMES
  if (part === undefined || !Object.hasOwn(names, part)) return stored
  return layer === undefined
    ? `${names[part]}.${kind}`
    : `model.layers.${layer}.${names[part]}.${kind}`
}

const OUTER_NAMES: Record<string, string> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
}

const LAYER_NAMES: Record<string, string> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

/**
 * The rows of each head from the order of Llama's GGUF files, where the two features that a rotary
 * embedding turns are neighbours (0, 1), (2, 3) …, to (0, D/2), (1, D/2 + 1) ….
 */
function inHalves<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(
  values: T,
  rows: number,
  heads: number,
): T {
  const half = rows / heads / 2
  const width = values.length / rows
  const out = values.slice() as T
  for (let row = 0; row < rows; row++) {
    const inHead = row % (2 * half)
    const from = row - inHead + 2 * (inHead % half) + Math.floor(inHead / half)
    out.set(values.subarray(from * width, (from + 1) * width), row * width)
  }
  return out
}
