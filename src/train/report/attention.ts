import type { Batch } from '../../data/index.ts'
import { captureAttention, type Module } from '../../nn/index.ts'
import { type HeldInput, noGrad, type Tensor, tensor } from '../../tensor/index.ts'
import { Tokenizer } from '../../tokenizers/index.ts'
import type { Preprocessor, Task } from '../task.ts'
import type { TextPairTokenizers } from '../tasks/translation-tokenizers.ts'
import type { AttentionMap } from './heat.ts'
import type { ImageAttention } from './picture.ts'

const MOST_PLACES = 40
const MOST_LAYERS = 12

/** Computes the attention weights of each layer for an example; empty for models without attention. */
export async function attentionOf(
  task: Task,
  model: Module,
  example: unknown,
  preprocessor: Preprocessor,
): Promise<AttentionMap[]> {
  const { batch, layers } = captured(task, model, example)
  const tokens = tokensOf(batch, preprocessor)
  return Promise.all(layers.map(([name, weights]) => mapOf(name, weights, sidesOf(name, tokens))))
}

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
  return {
    read: texts(batch.input_ids ?? batch.inputs, single ?? pair.source),
    written: texts(batch.labels, single ?? pair.target),
  }
}

/** The tokens of the queries (rows) and of the keys (columns). */
function sidesOf(path: string, { read, written }: Tokens): [rows?: string[], columns?: string[]] {
  if (!/(^|\.)decoder(\.|$)/.test(path) || !written) return [read, read]
  return [written, /self/i.test(path) ? ['', ...written.slice(0, -1)] : read]
}

/** The attention of the class token to the patches of an image, by layer; empty for models without patches. */
export async function imageAttentionOf(
  task: Task,
  model: Module,
  example: unknown,
): Promise<ImageAttention[]> {
  const { batch, layers } = captured(task, model, example)
  const [height, width] = batch.pixel_values.shape.slice(-2)
  const maps = layers.map(async ([name, weights]): Promise<ImageAttention[]> => {
    const S = weights.shape[3]
    const grid = gridOf(S, height, width)
    if (!grid) return []
    const all = await weights.mean(1).data() // (1, T, S): the first row belongs to the class token
    const first = S - grid.rows * grid.columns
    const row = (i: number) => first + i * grid.columns
    const rows = Array.from({ length: grid.rows }, (_, i) =>
      Array.from(all.subarray(row(i), row(i + 1)), Number),
    )
    return [{ name, weights: rows }]
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

/** The batch of an example, and the attention weights of each layer for it. */
function captured(task: Task, model: Module, example: unknown) {
  const batch = task.collate([example], task.length(example), { seed: 0, step: 0 })
  const inputs = Object.fromEntries(
    Object.entries(batch).map(([name, { data, shape }]) => [name, tensor(data, { shape })]),
  )
  model.eval()
  const { attentions } = captureAttention(() => noGrad(() => task.loss(model, inputs)))
  return { batch, layers: [...attentions].slice(-MOST_LAYERS) }
}

/** The mean over the heads of weights (1, H, T, S), cropped to a readable size. */
async function mapOf(
  name: string,
  weights: Tensor,
  [rowTokens, columnTokens]: [rows?: string[], columns?: string[]],
): Promise<AttentionMap> {
  const [, H, T, S] = weights.shape
  const all = await weights.data()
  const [rows, columns] = [T, S].map((size) => Math.min(size, MOST_PLACES))
  const mean = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => {
      let sum = 0
      for (let h = 0; h < H; h++) sum += Number(all[(h * T + i) * S + j])
      return sum / H
    }),
  )
  const labels = (tokens: string[] | undefined, size: number) =>
    tokens?.length === size ? tokens.slice(0, MOST_PLACES) : undefined
  return { name, weights: mean, rows: labels(rowTokens, T), columns: labels(columnTokens, S) }
}
