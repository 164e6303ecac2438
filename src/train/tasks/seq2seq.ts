// Texts that are written: what tasks of encoder-decoders have in common.
import { type Seq2SeqLM, shiftRight } from '../../models/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import type { BatchTensors } from '../hold-batch.ts'
import type { EvaluateOptions, Evaluation, Task } from '../task.ts'
import { runExamples } from './run-examples.ts'
import { seen } from './text.ts'

/** Mean cross-entropy of the labels, each told by those before it. */
export function targetLoss(model: Seq2SeqLM, batch: BatchTensors, labelSmoothing = 0): Tensor {
  const { attentionMask } = seen(batch)
  return model.loss(batch.input_ids, batch.labels, { attentionMask, labelSmoothing })
}

/** Loss and share of right tokens where the model is told what stood before each. */
export async function targetReport<E>(
  task: Pick<Task<E>, 'length' | 'collate'>,
  model: Seq2SeqLM,
  examples: readonly E[],
  tokenizer: Tokenizer,
  { batchSize = 16, show = 50 }: EvaluateOptions = {},
): Promise<Evaluation> {
  const rows = await runExamples(
    task,
    model,
    examples,
    batchSize,
    (batch) => {
      const logits = model.forward(batch.input_ids, shiftRight(batch.labels, model), seen(batch))
      const losses = F.crossEntropy(logits, batch.labels, { reduction: 'none' }).sum(-1)
      return [batch.input_ids, batch.labels, logits.argmax(-1), losses]
    },
    ([ids, labels, guesses, losses], row) => {
      const part = (values: ArrayLike<number>): number[] => {
        const width = values.length / losses.length
        return Array.from({ length: width }, (_, i) => values[row * width + i])
      }
      const wanted = part(labels)
      const places = wanted.flatMap((label, i) => (label >= 0 ? [i] : []))
      const mine = part(guesses)
      return {
        source: part(ids),
        expected: places.map((i) => wanted[i]),
        predicted: places.map((i) => mine[i]),
        loss: losses[row],
      }
    },
  )
  const tokens = rows.reduce((sum, { expected }) => sum + expected.length, 0)
  const right = rows.reduce(
    (sum, { expected, predicted }) => sum + expected.filter((id, i) => id === predicted[i]).length,
    0,
  )
  const loss = rows.reduce((sum, row) => sum + row.loss, 0) / tokens
  return {
    metrics: { loss, perplexity: Math.exp(loss), token_accuracy: right / tokens },
    examples: rows.slice(0, show).map(({ source, ...row }) => {
      const input = tokenizer.decode(source.filter((id) => id !== tokenizer.padTokenId))
      const [expected, predicted] = [row.expected, row.predicted].map((ids) =>
        tokenizer.decode(ids),
      )
      return { input, expected, predicted, right: expected === predicted }
    }),
  }
}
