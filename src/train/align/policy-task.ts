// What tasks with rollouts share: prompts, rewards, batches, and the evaluation by greedy answers.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import { rewardNames } from '../../rewards/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { countItems } from '../micro-batches.ts'
import { rowBatches } from '../row-batches.ts'
import type {
  BatchSetup,
  EvaluateOptions,
  Evaluation,
  ShownExample,
  Task,
  TaskContext,
  TaskDefinition,
  TrainingBatches,
} from '../task.ts'
import { answerRows, answerText, writeAnswers } from '../tasks/answering.ts'
import { type ChatFacts, keepFitting, overChatModel } from '../tasks/chat-model.ts'
import { type TooLong, templateOption, tooLongOption } from '../tasks/conversation.ts'
import { mean } from './advantages.ts'
import { tokenLogProbabilities } from './policy-losses.ts'
import { type Prompt, promptOf, roomForPrompts } from './prompts.ts'
import { causal } from './reference.ts'
import { type Judge, openReward } from './reward-source.ts'
import { RolloutBatches, type RolloutSetup } from './rollout-batches.ts'
import { valueHeadOf } from './value-head.ts'

/** The options that all tasks with rollouts have. */
export interface PolicyOptions extends Readonly<Record<string, unknown>> {
  template: string | null
  tooLong: TooLong
  reward: string
  rewardSeconds: number
  answers: number
  maxNewTokens: number
  temperature: number
  beta: number
  epsilon: number
  iterations: number
}
type Context<O> = TaskContext<O, ChatFacts, Tokenizer>

/** The tensors of a batch (see `RolloutBatches.batch`), with the scores by the model that is trained. */
export interface PolicyBatch extends BatchTensors {
  /** f32 (N, T): log-probabilities of tokens. */
  readonly policy: Tensor
  /** f32 (N, T): 1 for the tokens of answers. */
  readonly counted: Tensor
}

/** A method that learns from the rewards of sampled answers. */
export interface PolicyMethod<O extends PolicyOptions> {
  name: string
  about: string
  /** Defaults of options. */
  defaults: { beta: number; answers: number; iterations: number }
  /** The least number of answers to a prompt. */
  fewestAnswers: number
  /** What `beta` weights, for help. */
  aboutBeta: string
  /** Whether a value head learns what reward each token leads to. */
  hasValues: boolean
  /** Further options, with the keys of O that are not in `PolicyOptions`. */
  options: z.ZodRawShape
  /** Returns what the loss compares answers with; see `RolloutSetup`. */
  goals(options: O): RolloutSetup['goals']
  /** Computes the loss from the batch, with the scores by the trained model. */
  loss(batch: PolicyBatch, options: O): Tensor
  /** What the loss is a mean over. */
  meanOver(options: O): 'tokens' | 'answers'
}

/** Defines a task with rollouts. */
export function policyTask<O extends PolicyOptions>(
  method: PolicyMethod<O>,
): TaskDefinition<O, ChatFacts, Tokenizer> {
  const { name, about, defaults, aboutBeta } = method
  return defineTask<O, ChatFacts, Tokenizer>({
    name,
    about,
    columns:
      'rows with `prompt` (a text or a list of messages), and the columns that the reward reads, such as `answer`',
    options: z.object({
      template: templateOption,
      tooLong: tooLongOption,
      reward: z
        .string()
        .default('exact-match')
        .describe(
          `folder of a reward run, module that exports (prompt, answer, row) => number by default, or ${rewardNames().map(({ name }) => name).join(', ')} with options as name:key=value`,
        ), // biome-ignore format: one line
      rewardSeconds: z.number().positive().default(60).describe('time limit of the reward of an answer, in seconds'), // biome-ignore format: one line
      answers: z
        .int()
        .min(method.fewestAnswers)
        .default(defaults.answers)
        .describe('number of answers that are sampled to each prompt'),
      maxNewTokens: z.int().min(1).default(256).describe('maximum number of tokens in an answer'),
      temperature: z.number().positive().default(1).describe('temperature of the sampled answers'),
      beta: z.number().min(0).default(defaults.beta).describe(aboutBeta),
      epsilon: z.number().positive().default(0.2).describe('the ratio of probabilities is clipped to 1 ± epsilon'), // biome-ignore format: one line
      iterations: z.int().min(1).default(defaults.iterations).describe('number of steps with the same answers; with 1, the ratio is 1 and nothing is clipped'), // biome-ignore format: one line
      ...method.options,
    }),
    isAlignment: true,
    keepsExamples: false, // rows keep their columns, for rewards
    defaults: { steps: null, epochs: 1, context: 1024, batch: 8 },
    tuningDefaults: { lr: 1e-6, weightDecay: 0 },
    adapterDefaults: { lr: 1e-5 },
    inputColumn: () => 'prompt',
    head: () => 'causal-lm',
    ...overChatModel,
    ...(method.hasValues && { trainingLayers: (model: Module) => valueHeadOf(causal(model)) }),
    create: (context) => new PolicyTask(method, context),
    batches: (setup, context) => policyBatches(method, setup, context),
  })
}

async function policyBatches<O extends PolicyOptions>(
  method: PolicyMethod<O>,
  setup: BatchSetup,
  context: Context<O>,
): Promise<TrainingBatches> {
  const { options, preprocessor: tokenizer, contextLength } = context
  const task = new PolicyTask(method, context)
  const kind = { name: method.name, keepsExamples: false }
  const remarks = new Set<string>()
  const fitting = {
    contextLength: contextLength - options.maxNewTokens,
    tooLong: options.tooLong,
    length: (prompt: Prompt) => task.length(prompt),
    isCut: ({ cut }: Prompt) => cut,
  }
  const batches = await rowBatches<Prompt>(setup, { kind, task, context }, {
    keep: (all) => keepFitting(all, fitting, remarks),
  }) // biome-ignore format: short
  const all = { ...batches, remarks: [...remarks] }
  if (!setup.model) return all
  const { answers, temperature, maxNewTokens: maxTokens, beta, epsilon, iterations } = options
  const model = causal(setup.model)
  const rollouts = new RolloutBatches({
    model,
    head: method.hasValues ? valueHeadOf(model) : null,
    reference: beta === 0 ? null : causal(await setup.startModel()),
    tokenizer,
    judge: await task.judge(),
    answers,
    maxTokens,
    stopTokens: [(await tokenizer.endOfTurn()) ?? []].flat(),
    temperature,
    seed: setup.seed,
    run: setup.run,
    iterations,
    epsilon,
    prompts: (step) => batches.examplesAt(step),
    goals: method.goals(options),
  })
  return { ...all, train: rollouts, reportOf: (step) => rollouts.reportOf(step) }
}

class PolicyTask<O extends PolicyOptions> implements Task<Prompt, CausalLM> {
  readonly name: string
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'chat'
  private readonly method: PolicyMethod<O>
  private readonly context: Context<O>
  private opened: Promise<Judge> | undefined

  constructor(method: PolicyMethod<O>, context: Context<O>) {
    this.name = method.name
    this.method = method
    this.context = context
  }

  /** Opens the reward. */
  judge(): Promise<Judge> {
    const { reward, rewardSeconds } = this.context.options
    this.opened ??= openReward(reward, rewardSeconds)
    return this.opened
  }

  async encode(row: Row): Promise<Prompt[]> {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const { tooLong, maxNewTokens } = options
    const room = roomForPrompts(contextLength, maxNewTokens)
    return [await promptOf(row, { tokenizer, room, tooLong })]
  }

  length({ ids }: Prompt): number {
    return ids.length
  }

  /** Inputs i32 (B, T): the prompts. */
  collate(prompts: readonly Prompt[], length: number): Batch {
    return { inputs: padded(prompts.map(({ ids }) => [...ids]), length, padId(this.context.preprocessor)) } // biome-ignore format: one line
  }

  forward(model: CausalLM, { inputs }: BatchTensors): Tensor {
    return model.forward(inputs)
  }

  /** The loss of sampled answers; see `RolloutBatches.batch`. */
  loss(model: CausalLM, batch: BatchTensors): Tensor {
    const { options } = this.context
    const { inputs, targets } = batch
    if (!batch.advantages)
      throw new HeedError('invalid-state', 'The loss needs sampled answers, which training provides', {
        key: 'advantages',
        remedy: 'Use trainModel.',
      }) // biome-ignore format: one line
    const scored = this.method.hasValues ? valueHeadOf(model).forward(inputs) : { logits: model.forward(inputs) } // biome-ignore format: one line
    const policy = tokenLogProbabilities(scored.logits, targets, options.temperature)
    const counted = targets.ne(-100).to('f32')
    return this.method.loss({ ...batch, ...scored, policy, counted }, options)
  }

  itemCounts(batch: Batch): readonly number[] {
    const isOverTokens = this.method.meanOver(this.context.options) === 'tokens'
    return isOverTokens ? countItems(batch) : [batch.inputs.shape[0]]
  }

  /** The negated mean reward of greedy answers. */
  async heldOutLoss(model: Module, prompts: readonly Prompt[], batchSize: number): Promise<number> {
    const judged = await this.answer(causal(model), prompts, batchSize)
    return -mean(judged.map(({ reward }) => reward))
  }

  /** The mean reward of greedy answers; the loss is its negation. */
  async evaluate(
    model: CausalLM,
    prompts: readonly Prompt[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const judged = await this.answer(model, prompts, batchSize)
    const reward = mean(judged.map(({ reward }) => reward))
    return {
      metrics: { loss: -reward, reward },
      examples: judged.slice(0, show).map(({ prompt, answer, reward }) => ({
        ...this.shown(prompt, answer),
        scores: { reward },
        difficulty: -reward,
      })),
    }
  }

  /** Greedy answers, for reports. */
  async samples(model: CausalLM, prompts: readonly Prompt[]): Promise<ShownExample[]> {
    const { preprocessor, options } = this.context
    const ids = prompts.map((prompt) => prompt.ids)
    const answers = await writeAnswers(model, preprocessor, ids, options.maxNewTokens)
    return prompts.map((prompt, i) => this.shown(prompt, answers[i]))
  }

  predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    return answerRows(model, this.context.preprocessor, rows)
  }

  /** Greedy answers with their rewards. */
  private async answer(model: CausalLM, all: readonly Prompt[], batchSize: number) {
    const { preprocessor, options } = this.context
    const judge = await this.judge()
    const prompts = all.filter(({ ids }) => ids.length > 0)
    const judged: { prompt: Prompt; answer: string; reward: number }[] = []
    for (let start = 0; start < prompts.length; start += batchSize) {
      const some = prompts.slice(start, start + batchSize)
      const ids = some.map((prompt) => prompt.ids)
      const answers = await writeAnswers(model, preprocessor, ids, options.maxNewTokens)
      const answered = some.map((prompt, i) => ({ prompt, answer: answers[i] }))
      const rewards = await judge(answered)
      judged.push(...answered.map((pair, i) => ({ ...pair, reward: rewards[i] })))
    }
    return judged
  }

  private shown({ ids, values }: Prompt, predicted: string): ShownExample {
    const { answer } = values
    const input = answerText(this.context.preprocessor, ids)
    return { input, expected: answer === undefined ? '' : String(answer), predicted, right: null }
  }
}
