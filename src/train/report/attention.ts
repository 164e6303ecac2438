import { captureAttention, type Module } from '../../nn/index.ts'
import { noGrad, type Tensor, tensor } from '../../tensor/index.ts'
import { Tokenizer } from '../../tokenizers/index.ts'
import type { Preprocessor, Task } from '../task.ts'
import type { AttentionMap } from './heat.ts'

const MOST_PLACES = 40
const MOST_LAYERS = 12

/** The attention of each layer while the model reads one example; none where it has none. */
export async function attentionOf(
  task: Task,
  model: Module,
  example: unknown,
  preprocessor: Preprocessor,
): Promise<AttentionMap[]> {
  const batch = task.collate([example], task.length(example), { seed: 0, step: 0 })
  const inputs = Object.fromEntries(
    Object.entries(batch).map(([name, { data, shape }]) => [name, tensor(data, { shape })]),
  )
  model.eval()
  const { attentions } = captureAttention(() => noGrad(() => task.loss(model, inputs)))
  const ids = [batch.input_ids, batch.inputs].find((one) => one?.data instanceof Int32Array)
  const tokens =
    ids && preprocessor instanceof Tokenizer
      ? Array.from(ids.data, (id) => preprocessor.idToToken(Number(id)) ?? `#${id}`)
      : undefined
  const layers = [...attentions].slice(-MOST_LAYERS)
  return Promise.all(layers.map(([name, weights]) => mapOf(name, weights, tokens)))
}

/** weights (1, H, T, S): their mean over heads, cut to what can be read. */
async function mapOf(name: string, weights: Tensor, tokens?: string[]): Promise<AttentionMap> {
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
  const labels = (size: number, shown: number) =>
    tokens?.length === size ? tokens.slice(0, shown) : undefined
  return { name, weights: mean, rows: labels(T, rows), columns: labels(S, columns) }
}
