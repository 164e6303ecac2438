// Texts that are written: what tasks of encoder-decoders have in common.
import { generateSeq2Seq, Seq2SeqDecoder, seq2SeqBeams } from '../../generate/index.ts'
import { type Seq2SeqLM, shiftRight } from '../../models/index.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import type { BatchTensors } from '../hold-batch.ts'
import type { EvaluateOptions, Evaluation, Task } from '../task.ts'
import { runExamples } from './run-examples.ts'
import { encoderInputs } from './text.ts'

/** Mean cross-entropy of the labels, each told by those before it. */
export function targetLoss(model: Seq2SeqLM, batch: BatchTensors, labelSmoothing = 0): Tensor {
  const { attentionMask } = encoderInputs(batch)
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
      const logits = model.forward(
        batch.input_ids,
        shiftRight(batch.labels, model),
        encoderInputs(batch),
      )
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

export interface WriteTargetsOptions {
  /** Of what is written. */
  tokenizer: Tokenizer
  /** Of each text, for a source of so many tokens. */
  maxTokens: (sourceLength: number) => number
  /** 1, the default, takes the likeliest token each time. */
  beams?: number
  batchSize?: number
}

/** What the model writes for each source, in their order; those of like length are read together. */
export async function writeTargets(
  model: Seq2SeqLM,
  sources: readonly (readonly number[])[],
  { tokenizer, maxTokens, beams = 1, batchSize = 16 }: WriteTargetsOptions,
): Promise<string[]> {
  model.eval()
  const stopTokens = tokenizer.eosTokenId === undefined ? [] : [tokenizer.eosTokenId]
  const decoder = new Seq2SeqDecoder(model)
  const order = sources.map((_, i) => i).sort((a, b) => sources[b].length - sources[a].length)
  const texts = new Array<string>(sources.length)
  for (let start = 0; start < order.length; start += batchSize) {
    const chosen = order.slice(start, start + batchSize)
    const batch = chosen.map((i) => sources[i])
    const settings = { decoder, stopTokens, maxTokens: maxTokens(batch[0].length) }
    const found =
      beams > 1
        ? (await seq2SeqBeams(model, batch, { ...settings, beams })).map(([{ tokens }]) => tokens)
        : await generateSeq2Seq(model, batch, settings)
    chosen.forEach((i, row) => {
      texts[i] = tokenizer.decode(found[row], { skipSpecialTokens: true }).trim()
    })
  }
  return texts
}
