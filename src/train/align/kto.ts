// Kahneman-Tversky optimisation (Ethayarajh et al., 2024): raises the log-probability of desirable answers and lowers that
// of others, relative to the model at the start. It needs no pairs.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padId } from '../../pipelines/text-examples.ts'
import { noGrad, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { invalidOption } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import type { EvaluateOptions, Evaluation, ShownExample, Task, TaskContext } from '../task.ts'
import type { ChatFacts } from '../tasks/chat-model.ts'
import { messagesIn, toolsOf } from '../tasks/chat-rows.ts'
import { type Conversation, fitTo, isCounted, lastAnswer } from '../tasks/conversation.ts'
import { type AnswerOptions, AnswerTask, answerOptions, overAnswers } from './answer-task.ts'
import { answerArrays, encodeAnswer, logProbabilitiesOf } from './answers.ts'
import { ktoLoss } from './losses.ts'
import { scoresOf } from './reference.ts'
import {
  type Compared,
  comparedBatches,
  comparedHeldOut,
  referenceOf,
} from './reference-batches.ts'
import { labelOf } from './rows.ts'

interface Options extends AnswerOptions {
  desirableWeight: number
  undesirableWeight: number
}
type Context = TaskContext<Options, ChatFacts, Tokenizer>

/** An answer with its label; without an answer if it is too long. */
interface Judged {
  answer: Conversation | null
  desirable: boolean
  /** The prompt with an answer to another one. Training takes that of the row before in the batch. */
  other?: Conversation
}

const weight = z.number().positive().default(1)

export const kto = defineTask<Options, ChatFacts, Tokenizer>({
  name: 'kto',
  about: 'answers that are labelled as desirable or not (Kahneman-Tversky optimisation)',
  columns: 'rows with `prompt`, `completion` and `label` (true or false)',
  options: z.object({
    ...answerOptions,
    desirableWeight: weight.describe('weight of desirable answers in the loss'),
    undesirableWeight: weight.describe('weight of undesirable answers in the loss'),
  }),
  ...overAnswers,
  create: (context) => new Kto(context),
  async batches(setup, context) {
    checkBatch(setup.batch)
    return comparedBatches(setup, compared(context))
  },
  heldOut: (data, setup, context) => comparedHeldOut(data, setup, compared(context)),
})

/** @throws HeedError for a batch of one row */
export function checkBatch(batch: number): void {
  if (batch > 1) return
  throw invalidOption({
    key: 'batch',
    value: batch,
    expected: 'at least 2: the KL term compares each prompt with the answer of another row',
    try: { batch: [8] },
  })
}

const compared = (context: Context): Compared<Judged> => ({
  kind: kto,
  task: new Kto(context),
  context,
  answers: ({ answer, other }) => [answer, other].filter((scored) => scored != null),
  ofBatch: (rows) => rotated(rows, context.contextLength),
  hold: (held) => ({
    length: held.length,
    lengths: held.lengths,
    at(index) {
      const row = held.at(index)
      const before = held.at(index === 0 ? held.length - 1 : index - 1)
      if (!row?.answer || !before?.answer) return row
      return { ...row, other: exchanged(row.answer, before.answer, context.contextLength) }
    },
  }),
})

/** Each prompt with the answer of the row before it; the first with that of the last. */
function rotated(rows: readonly Judged[], contextLength: number): Conversation[] {
  const answers = rows.flatMap(({ answer }) => answer ?? [])
  return answers.map((answer, i) => exchanged(answer, answers.at(i - 1) ?? answer, contextLength))
}

/** The prompt of a conversation with the answer of another. */
function exchanged(asked: Conversation, other: Conversation, contextLength: number): Conversation {
  const start = asked.targets.findIndex(isCounted)
  const from = other.targets.findIndex(isCounted)
  const both = {
    ids: [...asked.ids.slice(0, start + 1), ...other.ids.slice(from + 1)],
    targets: [...asked.targets.slice(0, start), ...other.targets.slice(from)],
    cut: false,
  }
  return fitTo(both, contextLength, 'cut') ?? asked
}

class Kto extends AnswerTask<Options> implements Task<Judged, CausalLM> {
  readonly name = 'kto'
  readonly validationMetrics = ['reward_desirable', 'reward_undesirable']

  async encode(row: Row): Promise<Judged[]> {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const prompt = messagesIn(row, 'prompt', 'user')
    const completion = messagesIn(row, 'completion', 'assistant')
    const desirable = labelOf(row)
    const whole = await encodeAnswer(tokenizer, prompt, completion, toolsOf(row))
    return [{ answer: fitTo(whole, contextLength, options.tooLong), desirable }]
  }

  length({ answer }: Judged): number {
    return answer ? answer.ids.length : 0
  }

  /** Arrays (B, 2, T) of each answer, and of its prompt with the answer of another row. */
  collate(rows: readonly Judged[], length: number): Batch {
    const reference = referenceOf(this.context)
    const { contextLength, preprocessor } = this.context
    const neighbours = rotated(rows, contextLength)
    const others = rows.map(({ other }, i) => other ?? neighbours[i])
    const pairs = rows.flatMap(({ answer }, i) => (answer ? [answer, others[i]] : []))
    // A prompt and an answer of two rows have at most twice the tokens.
    const isLonger = others.some(({ ids }) => ids.length > length)
    const room = isLonger ? Math.min(2 * length, contextLength) : length
    const { inputs, targets } = answerArrays(pairs, room, padId(preprocessor))
    const shape = [rows.length, 2]
    return {
      inputs: { data: inputs.data, shape: [...shape, room] },
      targets: { data: targets.data, shape: [...shape, room] },
      reference: { data: Float32Array.from(pairs, reference), shape },
      desirable: {
        data: Float32Array.from(rows, ({ desirable }) => Number(desirable)),
        shape: [rows.length],
      },
    }
  }

  loss(model: CausalLM, { inputs, targets, reference, desirable }: BatchTensors): Tensor {
    const own = (of: Tensor): Tensor => of.select(1, 0)
    const other = (of: Tensor): Tensor => of.select(1, 1)
    const policy = logProbabilitiesOf(model, own(inputs), own(targets))
    const kl = noGrad(() =>
      logProbabilitiesOf(model, other(inputs), other(targets))
        .sub(other(reference))
        .mean()
        .clamp({ min: 0 }),
    )
    const { beta, desirableWeight, undesirableWeight } = this.context.options
    const weights = { desirableWeight, undesirableWeight }
    return ktoLoss({ policy, reference: own(reference), desirable, kl }, { beta, ...weights })
  }

  /** The rewards of the answers: β times their gain in log-probability since the start. */
  async evaluate(
    model: CausalLM,
    rows: readonly Judged[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { preprocessor, options } = this.context
    const reference = referenceOf(this.context)
    const answers = rows.flatMap(({ answer, desirable }) => (answer ? [{ answer, desirable }] : []))
    const conversations = answers.map(({ answer }) => answer)
    const scores = await scoresOf(model, conversations, { batchSize, pad: padId(preprocessor) })
    const judged = answers.map(({ answer, desirable }, i) => {
      const reward = options.beta * (scores[i] - reference(answer))
      return { answer, desirable, logP: scores[i], reward }
    })
    const metrics: Record<string, number> = {}
    for (const [name, label] of [
      ['desirable', true],
      ['undesirable', false],
    ] as const) {
      const some = judged.filter(({ desirable }) => desirable === label)
      if (some.length === 0) continue
      metrics[`reward_${name}`] = some.reduce((sum, { reward }) => sum + reward, 0) / some.length
      metrics[`log_p_${name}`] = some.reduce((sum, { logP }) => sum + logP, 0) / some.length
    }
    return {
      metrics,
      examples: judged.slice(0, show).map(({ answer, desirable, reward }) => {
        const { prompt, answer: text } = lastAnswer(answer)
        const right = desirable === reward > 0
        return {
          input: `${this.textOf(prompt)}\n${this.textOf(text)}`,
          expected: desirable ? 'desirable' : 'undesirable',
          predicted: reward > 0 ? 'more likely than at the start' : 'less likely than at the start',
          right,
          scores: { reward },
          difficulty: desirable ? -reward : reward,
        }
      }),
    }
  }

  /** Answers the prompts. */
  samples(model: CausalLM, rows: readonly Judged[]): Promise<ShownExample[]> {
    return this.answer(
      model,
      rows.flatMap(({ answer }) => answer ?? []),
    )
  }
}
