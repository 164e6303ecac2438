// Reward models (Ouyang et al., 2022, section 3.5): a classifier with one output, which is larger for better answers.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import type { SequenceClassifier } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { encoderInputs, padId, textBatch } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { rowsOf } from '../micro-batches.ts'
import { rowBatches } from '../row-batches.ts'
import type {
  BatchSetup,
  EvaluateOptions,
  Evaluation,
  Task,
  TaskContext,
  TrainingBatches,
} from '../task.ts'
import { answerText } from '../tasks/answering.ts'
import { type ChatFacts, keepFitting, overChatModel } from '../tasks/chat-model.ts'
import { conversationOf, toolsOf } from '../tasks/chat-rows.ts'
import { type TooLong, templateOption, tooLongOption } from '../tasks/conversation.ts'
import { labelConfig } from '../tasks/labels.ts'
import { rewardLoss } from './losses.ts'
import { PREFERENCE_COLUMNS, preferenceOf } from './rows.ts'

type Options = { template: string | null; tooLong: TooLong; centering: number }
type Context = TaskContext<Options, ChatFacts, Tokenizer>

/** The tokens of both conversations; none if one of them is too long. */
interface Pair {
  answers: readonly (readonly number[])[]
  /** By how much the chosen answer should be better. */
  margin: number
  cut: boolean
}

export const reward = defineTask<Options, ChatFacts, Tokenizer>({
  name: 'reward',
  about: 'rewards of answers, from preferences',
  columns: `${PREFERENCE_COLUMNS}; optionally \`margin\``,
  options: z.object({
    template: templateOption,
    tooLong: tooLongOption,
    centering: z
      .number()
      .min(0)
      .default(0)
      .describe('weight of the squared sum of both rewards, which keeps rewards near 0'),
  }),
  isAlignment: true,
  defaults: { steps: null, epochs: 1, context: 1024, batch: 8, weightDecay: 0 },
  inputColumn: () => 'prompt',
  head: () => 'sequence-classification',
  ...overChatModel,
  modelConfig: (context) => ({ ...overChatModel.modelConfig(context), ...labelConfig(['reward']), pad_token_id: padId(context.preprocessor) }), // biome-ignore format: one line
  create: (context) => new Reward(context),
  batches: rewardBatches,
})

async function rewardBatches(setup: BatchSetup, context: Context): Promise<TrainingBatches> {
  const { contextLength, options } = context
  const task = new Reward(context)
  const remarks = new Set<string>()
  const fitting = {
    contextLength,
    tooLong: options.tooLong,
    length: (pair: Pair) => task.length(pair),
    isCut: ({ cut }: Pair) => cut,
  }
  const batches = await rowBatches<Pair>(setup, { kind: reward, task, context }, {
    keep: (all) => keepFitting(all, fitting, remarks),
  }) // biome-ignore format: short
  return { ...batches, remarks: [...remarks] }
}

/** The reward of each conversation. Only the end of a long one is read. */
export async function rewardsOfConversations(
  model: SequenceClassifier,
  { preprocessor, contextLength }: Pick<Context, 'preprocessor' | 'contextLength'>,
  conversations: readonly { messages: readonly ChatMessage[]; tools?: unknown[] }[],
): Promise<number[]> {
  const examples = await Promise.all(
    conversations.map(async ({ messages, tools }) => {
      const text = await preprocessor.applyChatTemplate(messages, { tools })
      const ids = preprocessor.encode(text, { addSpecialTokens: false })
      return { ids: ids.slice(-contextLength) }
    }),
  )
  return runExamples(examples, {
    batching: {
      length: ({ ids }) => ids.length,
      collate: (some, length) => textBatch(some, length, padId(preprocessor)),
    },
    model,
    batchSize: 16,
    forward: (batch) => [model.forward(batch.input_ids, encoderInputs(batch))],
    read: ([values], row) => values[row],
  })
}

class Reward implements Task<Pair, SequenceClassifier> {
  readonly name = 'reward'
  readonly head = 'sequence-classification'
  readonly unit = 'rows'
  readonly validationMetrics = ['accuracy', 'margin']
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  async encode(row: Row): Promise<Pair[]> {
    const { prompt, chosen, rejected } = preferenceOf(row)
    const pair = await Promise.all([chosen, rejected].map((answer) => this.idsOf([...prompt, ...answer], row))) // biome-ignore format: one line
    const { contextLength, options } = this.context
    const isLong = pair.some((ids) => ids.length > contextLength)
    if (isLong && options.tooLong === 'drop') return [{ answers: [], margin: 0, cut: false }]
    return [
      {
        answers: pair.map((ids) => ids.slice(-contextLength)),
        margin: marginOf(row),
        cut: isLong,
      },
    ]
  }

  length({ answers }: Pair): number {
    return Math.max(0, ...answers.map((ids) => ids.length))
  }

  /** Arrays (B, 2, T) of the conversations with the chosen and the rejected answer. */
  collate(pairs: readonly Pair[], length: number): Batch {
    const rows = pairs.flatMap(({ answers }) => answers).map((ids) => ({ ids }))
    const { input_ids, lengths } = textBatch(rows, length, padId(this.context.preprocessor))
    const shape = [pairs.length, 2]
    return {
      input_ids: { data: input_ids.data, shape: [...shape, length] },
      lengths: { data: lengths.data, shape },
      margin: { data: Float32Array.from(pairs, ({ margin }) => margin), shape: [pairs.length] },
    }
  }

  loss(model: SequenceClassifier, batch: BatchTensors): Tensor {
    const { margin } = batch
    return rewardLoss(rewardsOf(model, batch), { margin, centering: this.context.options.centering }) // biome-ignore format: one line
  }

  itemCounts(batch: Batch): number[] {
    return [rowsOf(batch)]
  }

  /** The share of pairs whose chosen answer has the larger reward, and the mean difference. */
  async evaluate(
    model: SequenceClassifier,
    pairs: readonly Pair[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const kept = pairs.filter(({ answers }) => answers.length === 2)
    const rewards = await runExamples(kept, {
      batching: this,
      model,
      batchSize: Math.max(1, batchSize >> 1),
      forward: (batch) => [rewardsOf(model, batch)],
      read: ([values], row) => ({ chosen: values[2 * row], rejected: values[2 * row + 1] }),
    })
    const mean = (of: (row: (typeof rewards)[number]) => number): number =>
      rewards.reduce((sum, row) => sum + of(row), 0) / rewards.length
    return {
      metrics: {
        accuracy: mean(({ chosen, rejected }) => Number(chosen > rejected)),
        margin: mean(({ chosen, rejected }) => chosen - rejected),
        reward_chosen: mean(({ chosen }) => chosen),
        reward_rejected: mean(({ rejected }) => rejected),
      },
      examples: kept.slice(0, show).map(({ answers }, i) => {
        const { chosen, rejected } = rewards[i]
        const [better, worse] = answers.map((ids) => this.textOf(ids))
        return {
          input: better,
          expected: 'better',
          predicted: chosen > rejected ? 'better' : `worse than: ${worse}`,
          right: chosen > rejected,
          scores: { reward_chosen: chosen, reward_rejected: rejected },
          difficulty: rejected - chosen,
        }
      }),
    }
  }

  /** The reward of the conversation of each row, as for the task chat. */
  async predict(
    model: SequenceClassifier,
    rows: readonly Row[],
  ): Promise<Record<string, unknown>[]> {
    const conversations = rows.map((row) => ({
      messages: conversationOf(row, { complete: false }),
      tools: toolsOf(row),
    }))
    const rewards = await rewardsOfConversations(model, this.context, conversations)
    return rewards.map((value) => ({ reward: value }))
  }

  private async idsOf(messages: readonly ChatMessage[], row: Row): Promise<number[]> {
    const { preprocessor: tokenizer } = this.context
    const text = await tokenizer.applyChatTemplate(messages, { tools: toolsOf(row) })
    return tokenizer.encode(text, { addSpecialTokens: false })
  }

  private textOf(ids: readonly number[]): string {
    return answerText(this.context.preprocessor, ids)
  }
}

/** The rewards of pairs (B, 2, T): (B, 2). */
function rewardsOf(model: SequenceClassifier, { input_ids, lengths }: BatchTensors): Tensor {
  const [pairs, two, tokens] = input_ids.shape
  const rows = { input_ids: input_ids.reshape(pairs * two, tokens), lengths: lengths.reshape(pairs * two) } // biome-ignore format: one line
  return model.forward(rows.input_ids, encoderInputs(rows)).reshape(pairs, two)
}

/** The margin of a row; 0 without one. */
function marginOf({ values: { margin } }: Row): number {
  if (margin === undefined || margin === null || margin === '') return 0
  const value = Number(margin)
  if (Number.isFinite(value)) return value
  throw new HeedError('invalid-data', `'margin' must be a number, got ${shown(margin)}`, {
    key: 'margin',
    value: margin,
    remedy: 'Write a number, or remove the column.',
  })
}
