// Direct preference optimisation (Rafailov et al., 2023): raises the log-probability of chosen answers above that of
// rejected ones, relative to the model at the start.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padId } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { defineTask } from '../define-task.ts'
import type { EvaluateOptions, Evaluation, ShownExample, Task, TaskContext } from '../task.ts'
import type { ChatFacts } from '../tasks/chat-model.ts'
import { toolsOf } from '../tasks/chat-rows.ts'
import { type Conversation, fitTo, lastAnswer } from '../tasks/conversation.ts'
import { type AnswerOptions, AnswerTask, answerOptions, overAnswers } from './answer-task.ts'
import { answerArrays, countIn, encodeAnswer, logProbabilitiesOf } from './answers.ts'
import { dpoLoss, dpoLosses } from './losses.ts'
import { scoresOf } from './reference.ts'
import {
  type Compared,
  comparedBatches,
  comparedHeldOut,
  referenceOf,
} from './reference-batches.ts'
import { PREFERENCE_COLUMNS, preferenceOf } from './rows.ts'

interface Options extends AnswerOptions {
  loss: (typeof dpoLosses)[number]
  labelSmoothing: number
}
type Context = TaskContext<Options, ChatFacts, Tokenizer>

/** Answers to the same prompt, chosen and rejected; empty if one of them is too long. */
type Pair = readonly Conversation[]

export const dpo = defineTask<Options, ChatFacts, Tokenizer>({
  name: 'dpo',
  about: 'preferred answers (direct preference optimisation)',
  columns: PREFERENCE_COLUMNS,
  options: z.object({
    ...answerOptions,
    loss: z
      .enum(dpoLosses)
      .default('sigmoid')
      .describe('loss of the margin between both answers: sigmoid, hinge or ipo'),
    labelSmoothing: z
      .number()
      .min(0)
      .lt(0.5)
      .default(0)
      .describe('probability that a preference is wrong, for the loss sigmoid'),
  }),
  ...overAnswers,
  create: (context) => new Dpo(context),
  batches: (setup, context) => comparedBatches(setup, compared(context)),
  heldOut: (data, setup, context) => comparedHeldOut(data, setup, compared(context)),
})

const compared = (context: Context): Compared<Pair> => ({
  kind: dpo,
  task: new Dpo(context),
  context,
  answers: (pair) => pair,
})

class Dpo extends AnswerTask<Options> implements Task<Pair, CausalLM> {
  readonly name = 'dpo'
  readonly validationMetrics = ['accuracy', 'margin', 'log_p_chosen', 'log_p_rejected']

  async encode(row: Row): Promise<Pair[]> {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const { prompt, chosen, rejected } = preferenceOf(row)
    const pair: Conversation[] = []
    for (const answer of [chosen, rejected]) {
      const whole = await encodeAnswer(tokenizer, prompt, answer, toolsOf(row))
      const fitting = fitTo(whole, contextLength, options.tooLong)
      if (fitting) pair.push(fitting)
    }
    return [pair.length === 2 ? pair : []]
  }

  /** The longer of both answers with its prompt. */
  length(pair: Pair): number {
    return Math.max(0, ...pair.map(({ ids }) => ids.length))
  }

  /** Arrays (B, 2, T) of the chosen and the rejected answer. */
  collate(pairs: readonly Pair[], length: number): Batch {
    const reference = referenceOf(this.context)
    const answers = pairs.flat()
    const { inputs, targets } = answerArrays(answers, length, padId(this.context.preprocessor))
    const shape = [pairs.length, 2]
    return {
      inputs: { data: inputs.data, shape: [...shape, length] },
      targets: { data: targets.data, shape: [...shape, length] },
      reference: { data: Float32Array.from(answers, reference), shape },
      lengths: { data: Float32Array.from(answers, countIn), shape },
    }
  }

  loss(model: CausalLM, { inputs, targets, reference, lengths }: BatchTensors): Tensor {
    const { beta, loss, labelSmoothing } = this.context.options
    const [pairs, two, tokens] = inputs.shape
    const rows = [pairs * two, tokens]
    const policy = logProbabilitiesOf(model, inputs.reshape(rows), targets.reshape(rows))
    const scores = { policy: policy.reshape(pairs, two), reference, lengths }
    return dpoLoss(scores, { beta, loss, labelSmoothing })
  }

  /**
   * Compares the answers. `accuracy` is the share of pairs whose chosen answer has gained more log-probability since the
   * start, `margin` the mean reward difference, and `preferred_at_start` the share that the model preferred before.
   */
  async evaluate(
    model: CausalLM,
    pairs: readonly Pair[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { preprocessor, options } = this.context
    const reference = referenceOf(this.context)
    const kept = pairs.filter((pair) => pair.length === 2)
    const scores = await scoresOf(model, kept.flat(), { batchSize, pad: padId(preprocessor) })
    const rows = kept.map((pair, i) => {
      const policy = [scores[2 * i], scores[2 * i + 1]]
      const before = pair.map((answer) => reference(answer))
      const rewards = policy.map((score, j) => options.beta * (score - before[j]))
      return { pair, policy, before, margin: rewards[0] - rewards[1], rewards }
    })
    const mean = (of: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((sum, row) => sum + of(row), 0) / rows.length
    return {
      metrics: {
        accuracy: mean(({ margin }) => Number(margin > 0)),
        margin: mean(({ margin }) => margin),
        reward_chosen: mean(({ rewards }) => rewards[0]),
        reward_rejected: mean(({ rewards }) => rewards[1]),
        log_p_chosen: mean(({ policy }) => policy[0]),
        log_p_rejected: mean(({ policy }) => policy[1]),
        preferred: mean(({ policy }) => Number(policy[0] > policy[1])),
        preferred_at_start: mean(({ before }) => Number(before[0] > before[1])),
      },
      examples: rows.slice(0, show).map(({ pair, margin, rewards }) => {
        const [chosen, rejected] = pair.map(lastAnswer)
        return {
          input: this.textOf(chosen.prompt),
          expected: this.textOf(chosen.answer),
          predicted: this.textOf((margin > 0 ? chosen : rejected).answer),
          right: margin > 0,
          scores: { margin, reward_chosen: rewards[0], reward_rejected: rewards[1] },
          difficulty: -margin,
        }
      }),
    }
  }

  /** Answers the prompts of pairs. */
  samples(model: CausalLM, pairs: readonly Pair[]): Promise<ShownExample[]> {
    return this.answer(
      model,
      pairs.flatMap(([first]) => first ?? []),
    )
  }
}
