// Loss and metrics of target texts, for tasks with encoder-decoders.
import { chrf } from '../../metrics/index.ts'
import { type Seq2SeqLM, shiftRight } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { type Batching, runExamples } from '../../pipelines/run-examples.ts'
import { encoderInputs } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { countOf } from '../micro-batches.ts'
import type { Distillation, EvaluateOptions, Evaluation, ShownExample } from '../task.ts'

/** The mean cross-entropy of each label given the previous labels. */
export function targetLoss(model: Seq2SeqLM, batch: BatchTensors, labelSmoothing = 0): Tensor {
  const { attentionMask } = encoderInputs(batch)
  return model.loss(batch.input_ids, batch.labels, { attentionMask, labelSmoothing })
}

/** What distillation compares: the tokens of the target, each given those before it. Labels are not smoothed. */
export function targetDistillation(labelSmoothing = 0): Distillation<Seq2SeqLM> | undefined {
  if (labelSmoothing > 0) return undefined
  return {
    outputs: (model, batch) => ({
      logits: targetLogits(model, batch),
      labels: batch.labels,
      items: batch.labels.ne(-100),
    }),
    counts({ labels }) {
      const count = countOf(labels)
      return { items: count, labels: count, tokens: count }
    },
  }
}

/** Logits f32 (B, T, V) of the target given the tokens before each. */
const targetLogits = (model: Seq2SeqLM, batch: BatchTensors): Tensor =>
  model.forward(batch.input_ids, shiftRight(batch.labels, model), encoderInputs(batch))

/** Evaluates with teacher forcing: loss and accuracy of each token given the correct previous tokens. */
export async function targetReport<E>(
  batching: Batching<E>,
  model: Seq2SeqLM,
  examples: readonly E[],
  tokenizer: Tokenizer,
  { batchSize = 16, show = 50 }: EvaluateOptions = {},
): Promise<Evaluation> {
  const rows = await runExamples(examples, {
    batching,
    model,
    batchSize,
    forward: (batch) => {
      const logits = targetLogits(model, batch)
      const losses = F.crossEntropy(logits, batch.labels, { reduction: 'none' }).sum(-1)
      return [batch.input_ids, batch.labels, logits.argmax(-1), losses]
    },
    read: ([ids, labels, guesses, losses], row) => {
      const part = (values: ArrayLike<number>): number[] => {
        const width = values.length / losses.length
        return Array.from({ length: width }, (_, i) => values[row * width + i])
      }
      const expected = part(labels)
      const places = expected.flatMap((label, i) => (label >= 0 ? [i] : []))
      const predicted = part(guesses)
      return {
        source: part(ids),
        expected: places.map((i) => expected[i]),
        predicted: places.map((i) => predicted[i]),
        loss: losses[row],
      }
    },
  })
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
      const loss = row.loss / Math.max(1, row.expected.length)
      const right = expected === predicted
      return { input, expected, predicted, right, scores: { loss }, difficulty: loss }
    }),
  }
}

/** An example with a generated text, which differs from the expected one by its chrF. */
export function writtenExample(
  predicted: string,
  expected: string,
  scores: ShownExample['scores'],
): Omit<ShownExample, 'input'> {
  const similarity = chrf([predicted], [expected])
  return {
    expected,
    predicted,
    right: predicted === expected,
    scores: { ...scores, chrf: similarity },
    difficulty: -similarity,
  }
}

/** The stop tokens of a tokenizer: its end-of-text token if it has one. */
export const endOf = ({ eosTokenId }: Tokenizer): number[] =>
  eosTokenId === undefined ? [] : [eosTokenId]
