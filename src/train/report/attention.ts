// The attention weights of single heads for an example.
import type { Batch, Image } from '../../data/index.ts'
import { captureAttention, type Module } from '../../nn/index.ts'
import { type HeldInput, noGrad, type Tensor, tensor } from '../../tensor/index.ts'
import { Tokenizer } from '../../tokenizers/index.ts'
import type { Preprocessor, Task } from '../task.ts'
import type { TextPairTokenizers } from '../tasks/translation-tokenizers.ts'

/** Limits of a page: tokens of a text, and the last layers and first heads of a model. */
export const MOST_TOKENS = 32
const MOST_LAYERS = 12
const MOST_HEADS = 16

/** The attention of a layer to an example. */
export interface LayerAttention {
  /** The path of the layer in the model. */
  path: string
  /** For people: `layer 3`. */
  name: string
  /** What the layer reads: '' if all layers of the model are of one kind, or `decoder, looking at the encoder`. */
  kind: string
  heads: readonly HeadAttention[]
  /** Texts of the tokens that attend, and of those that are attended to. */
  rows?: readonly string[]
  columns?: readonly string[]
}

/** The weights of a head by row (query) and column (key); of an image, by row and column of patches. */
export interface HeadAttention {
  name: string
  weights: readonly (readonly number[])[]
}

/** Computes the attention of each layer for an example; empty for models without attention. */
export async function attentionOf(
  task: Task,
  model: Module,
  example: unknown,
  preprocessor: Preprocessor,
): Promise<LayerAttention[]> {
  const { batch, layers } = captured(task, model, example)
  if (task.imageOf) return imageAttention(batch, layers)
  const tokens = tokensOf(batch, preprocessor)
  const isSeq2Seq = layers.some(([path]) => isDecoder(path)) && layers.some(([path]) => !isDecoder(path)) // biome-ignore format: one line
  const maps = layers.map(async ([path, weights]): Promise<LayerAttention[]> => {
    const [, H, T, S] = weights.shape
    const [rowTokens, columnTokens] = sidesOf(path, tokens).map((texts, axis) =>
      texts && texts.length <= [T, S][axis] ? texts.slice(0, MOST_TOKENS) : undefined,
    )
    const [rows, columns] = [rowTokens?.length ?? T, columnTokens?.length ?? S].map((size) =>
      Math.min(size, MOST_TOKENS),
    )
    const all = await weights.data()
    const matrices = Array.from({ length: Math.min(H, MOST_HEADS) }, (_, h) =>
      matrix(rows, columns, (i, j) => Number(all[(h * T + i) * S + j])),
    )
    const [name, kind] = [layerName(path), kindOf(path, isSeq2Seq)]
    return [{ path, name, kind, heads: named(matrices, H), rows: rowTokens, columns: columnTokens }]
  })
  return (await Promise.all(maps)).flat()
}

/** The attention of the class token to the patches; empty for models without patches. */
async function imageAttention(
  batch: Batch,
  layers: readonly (readonly [string, Tensor])[],
): Promise<LayerAttention[]> {
  const [height, width] = batch.pixel_values.shape.slice(-2)
  const maps = layers.map(async ([path, weights]): Promise<LayerAttention[]> => {
    const [, H, T, S] = weights.shape
    const grid = gridOf(S, height, width)
    if (!grid) return []
    const all = await weights.data()
    const first = S - grid.rows * grid.columns
    const matrices = Array.from(
      { length: Math.min(H, MOST_HEADS) },
      (_, h) =>
      matrix(grid.rows, grid.columns, (i, j) => Number(all[h * T * S + first + i * grid.columns + j])), // biome-ignore format: one line
    )
    return [{ path, name: layerName(path), kind: '', heads: named(matrices, H) }]
  })
  return (await Promise.all(maps)).flat()
}

/** The rows and columns of patches, which follow a class token and optionally a distillation token. */
function gridOf(tokens: number, height: number, width: number) {
  for (const patches of [tokens - 1, tokens - 2]) {
    const rows = Math.round(Math.sqrt((patches * height) / width))
    if (rows > 0 && patches % rows === 0 && (patches / rows) * height === rows * width)
      return { rows, columns: patches / rows }
  }
}

/** The batch of an example, and the attention weights (1, H, T, S) of each layer for it. */
function captured(task: Task, model: Module, example: unknown) {
  const batch = task.collate([example], task.length(example), { seed: 0, step: 0 })
  const inputs = Object.fromEntries(
    Object.entries(batch).map(([name, { data, shape }]) => [name, tensor(data, { shape })]),
  )
  model.eval()
  const { attentions } = captureAttention(() =>
    noGrad(() => (task.forward ? task.forward(model, inputs) : task.loss(model, inputs))),
  )
  return { batch, layers: [...attentions].slice(-MOST_LAYERS) }
}

function matrix(rows: number, columns: number, at: (i: number, j: number) => number): number[][] {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => at(i, j)))
}

/** The mean of the heads, then each head. */
function named(heads: readonly (readonly (readonly number[])[])[], count: number): HeadAttention[] {
  const [first] = heads
  const mean = matrix(first.length, first[0].length, (i, j) =>
    heads.reduce((sum, head) => sum + head[i][j] / heads.length, 0),
  )
  const single = heads.map((weights, h) => ({ name: `head ${h + 1}`, weights }))
  if (count === 1) return single
  const name = count > heads.length ? `mean of the first ${heads.length} heads` : `mean of ${count} heads` // biome-ignore format: one line
  return [{ name, weights: mean }, ...single]
}

const isDecoder = (path: string): boolean => /(^|\.)decoder(\.|$)/.test(path)
const isSelf = (path: string): boolean => /self/i.test(path)

/** 'model.decoder.layers.2.encoder_attn' -> 'layer 3'. */
function layerName(path: string): string {
  const number = /\.(\d+)(?:\.|$)/.exec(path)?.[1]
  return number === undefined ? 'attention' : `layer ${Number(number) + 1}`
}

function kindOf(path: string, isSeq2Seq: boolean): string {
  if (!isSeq2Seq && !isDecoder(path)) return ''
  if (!isDecoder(path)) return 'encoder'
  return isSelf(path) ? 'decoder' : 'decoder, looking at the encoder'
}

/** The tokens of an example, without padding. */
interface Tokens {
  read?: string[]
  /** The tokens of a decoder, which attends to the tokens before each position. */
  written?: string[]
}

function tokensOf(batch: Batch, preprocessor: Preprocessor): Tokens {
  const pair = preprocessor as Partial<TextPairTokenizers>
  const single = preprocessor instanceof Tokenizer ? preprocessor : undefined
  const texts = (ids: HeldInput | undefined, tokenizer: Tokenizer | undefined) =>
    ids?.data instanceof Int32Array && tokenizer
      ? Array.from(ids.data, (id) => (id < 0 ? '' : (tokenizer.idToToken(id) ?? `#${id}`)))
      : undefined
  const read = texts(batch.input_ids ?? batch.inputs, single ?? pair.source)
  const written = texts(batch.labels, single ?? pair.target)
  return {
    read: read?.slice(0, Number(batch.lengths?.data[0] ?? read.length)),
    written: written?.slice(0, written.findLastIndex((text) => text !== '') + 1),
  }
}

/** The tokens of the queries (rows) and of the keys (columns). */
function sidesOf(path: string, { read, written }: Tokens): [rows?: string[], columns?: string[]] {
  if (!isDecoder(path) || !written) return [read, read]
  return [written, isSelf(path) ? ['', ...written.slice(0, -1)] : read]
}

/** An example whose attention is shown. */
export interface AttendedExample {
  text: string
  image?: Image
  layers: readonly LayerAttention[]
}
