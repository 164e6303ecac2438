// What methods with virtual tokens share: prompts (vectors before the embeddings) and prefixes (keys and values).
import { z } from 'zod'
import {
  attachVirtualTokens,
  type SelfAttention,
  selfAttentionOf,
  type VirtualTokenReader,
  type VirtualTokens,
} from '../models/shared/virtual-tokens.ts'
import { init, Module } from '../nn/index.ts'
import { noGrad, Parameter, type Tensor } from '../tensor/index.ts'
import { hasMethod } from '../util/check-argument.ts'
import { HeedError, invalidOption, shown } from '../util/errors.ts'
import type { SelectionKey, WrittenAdapter } from './method.ts'
import { AdapterModule, type WeightEncoder } from './module.ts'
import { type Weight, weightOf } from './places.ts'

/** Number of virtual tokens, P. */
export const tokens = z.int().min(1).max(100_000).default(20).describe('number of virtual tokens')
/** Width of the network that computes the vectors in training. */
export const hidden = z
  .int()
  .min(1)
  .nullable()
  .default(null)
  .describe('width of the network that computes the vectors; by default their width')

const none: readonly SelectionKey[] = []
/** Virtual tokens change the model as a whole, so that no layers are chosen. */
export const wholeModel = {
  selection: none,
  complete: <S>(_model: Module, spec: S): S => spec,
}

/** Computes the rows of `prompt_embeddings` in training. */
export abstract class RowNetwork extends Module {
  abstract override forward(): Tensor
}

interface Rows {
  /** Number of virtual tokens, P. */
  readonly count: number
  /** Shape of `prompt_embeddings`. */
  readonly shape: readonly [rows: number, width: number]
  /** Values to start from. Default: the normal distribution. */
  readonly values?: Tensor
  /** Creates the network that computes the rows. Default: they are trained as they are. */
  readonly network?: () => RowNetwork
}

/** The virtual tokens of an adapter. Files have `prompt_embeddings`, as those of peft. */
export abstract class VirtualModule extends AdapterModule implements VirtualTokens {
  override readonly hasFactor = false
  override readonly isWhole = true
  override readonly exclusive = 'virtual tokens'
  readonly count: number
  /** The rows; null while a network computes them. */
  prompt_embeddings: Parameter | null
  /** The network; null if there is none, or after its result was loaded. */
  network: RowNetwork | null
  readonly #model: VirtualTokenReader // private, so that its weights do not become part of the adapter
  readonly #rows: Rows

  constructor(model: VirtualTokenReader, rows: Rows) {
    super()
    const { count, shape, values, network } = rows
    this.count = count
    this.#model = model
    this.#rows = rows
    this.network = network?.() ?? null
    this.prompt_embeddings = network ? null : new Parameter(values ?? init.normal(shape))
  }

  /** Width of a row. */
  get width(): number {
    return this.#rows.shape[1]
  }

  attach(): () => void {
    return attachVirtualTokens(this.#model, this)
  }

  /** The rows, as they are or computed by the network. */
  protected get rows(): Tensor {
    if (this.network) return this.network.forward()
    if (this.prompt_embeddings) return this.prompt_embeddings
    throw new HeedError('invalid-state', 'Virtual tokens must have rows or a network, got neither', { remedy: 'Add the adapter again.' }) // biome-ignore format: one line
  }

  override get encoder(): WeightEncoder | null {
    const { shape, network } = this.#rows
    if (!network) return null
    return {
      fold: () => {
        this.network = null
        this.prompt_embeddings = new Parameter(init.zeros(shape))
      },
      unfold: () => {
        this.network = network()
        this.prompt_embeddings = null
      },
      result: () => this.network && { prompt_embeddings: noGrad(() => this.rows.detach()) },
    }
  }
}

/** A model that reads virtual tokens, and its self-attention. */
export interface Reader {
  readonly model: VirtualTokenReader
  /** The self-attention layers that keys and values can enter. */
  readonly layers: readonly SelfAttention[]
}

/** Checks that a model can read virtual tokens. @throws HeedError otherwise, and if they fill its context */
export function readerOf(method: string, model: Module, count: number): Reader {
  const layers = isReader(model) ? selfAttentionOf(model) : []
  if (!isReader(model) || layers.length === 0)
    throw new HeedError('unsupported', `${method} must be attached to a transformer with one stack for each text, got ${model.constructor.name}`, { key: 'method', value: method, remedy: 'Use lora.' }) // biome-ignore format: one line
  const { contextLength = Number.POSITIVE_INFINITY } = model
  if (count > contextLength - 2)
    throw invalidOption({ key: 'tokens', value: count, expected: `at most ${contextLength - 2}, because the context length of ${model.constructor.name} is ${contextLength}` }) // biome-ignore format: one line
  return { model, layers }
}

const isReader = (model: Module): model is VirtualTokenReader =>
  hasMethod(model, 'probe') && 'inputEmbeddings' in model

/** The token embeddings of a model. @throws HeedError for a model without, and for one whose rotations change */
export function tableOf(method: string, { model }: Reader): Weight {
  const table = model.inputEmbeddings && weightOf(model.inputEmbeddings)
  if (!table)
    throw new HeedError('unsupported', `${method} must be attached to a model with token embeddings, got ${model.constructor.name}`, { key: 'method', value: method, remedy: 'Use prefix, or for images vpt.' }) // biome-ignore format: one line
  if (Number.isFinite(model.cacheValidTo ?? Number.POSITIVE_INFINITY))
    throw new HeedError('unsupported', `${method} must be attached to a model whose rotations do not depend on the length of the text, got ${model.constructor.name}`, { key: 'method', value: method, remedy: 'Use prefix or lora.' }) // biome-ignore format: one line
  return table
}

/** Keys of adapter_config.json about the model. @param width of a stored vector */
export function modelKeys(
  { model }: WrittenAdapter,
  count: number,
  width: number,
): Record<string, unknown> {
  const { layers, ...reader } = readerOf('prompt', model, 1)
  return {
    num_virtual_tokens: count,
    token_dim: width,
    num_transformer_submodules: reader.model.stackCount,
    num_attention_heads: layers[0].heads,
    num_layers: layers.length,
  }
}

/** Keys that all methods with virtual tokens read or that the shapes of the weights show. */
export const MODEL_KEYS = ['num_virtual_tokens', 'token_dim', 'num_transformer_submodules', 'num_attention_heads', 'num_layers'] // biome-ignore format: one line

/** @throws HeedError if the rows are not those for the stacks of the model: 2 for encoder-decoders */
export function checkModelKeys(
  { num_transformer_submodules: value }: Readonly<Record<string, unknown>>,
  model: Module,
): void {
  const { stackCount } = readerOf('prompt', model, 1).model
  if (value === null || value === undefined || value === stackCount) return
  throw new HeedError('unsupported', `\`num_transformer_submodules\` of the adapter must be ${stackCount} for ${model.constructor.name}, got ${shown(value)}`, {
    key: 'num_transformer_submodules',
    value,
    remedy: 'Use an adapter that was trained on this model with the `task_type` of its head.',
  }) // biome-ignore format: one line
}

/** Names of modules that are trained whole lack one `model` here in files of peft. */
export const savedPrefix = 'base_model.'
