// Supervised fine-tuning on conversations (Ouyang et al., 2022, section 3.5; Taori et al., 2023, "Alpaca"): the model learns
// to write the answers of the assistant. The loss counts the tokens of the answers, with the token that ends each of them.
import { z } from 'zod'
import { type Batch, type Examples, firstExamples, type Row, } from '../../data/index.ts' // biome-ignore format: one line
import type { CausalLM } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import type { Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { defineTask } from '../define-task.ts'
import { countOf } from '../micro-batches.ts'
import { rowBatches } from '../row-batches.ts'
import type {
  BatchSetup,
  Distillation,
  EvaluateOptions,
  Evaluation,
  ShownExample,
  ShownPiece,
  Task,
  TaskContext,
  TrainingBatches,
} from '../task.ts'
import { answerAgain, answerRows, answerText } from './answering.ts'
import { type ChatFacts, conversationTexts, type Fitting, keepFitting, overChatModel } from './chat-model.ts' // biome-ignore format: one line
import { CHAT_COLUMNS, conversationOf, toolsOf } from './chat-rows.ts'
import {
  type Conversation,
  encodeConversation,
  fitTo,
  isCounted,
  lastAnswer,
  type TooLong,
  templateOption,
  tooLongOption,
} from './conversation.ts'
import { logitsOf, lossesOf, lossPieces, shownTokens } from './conversation-scores.ts'
import { promptsIn, withAnswers } from './last-answers.ts'
import { packLengths } from './packing.ts'
import { vocabularyConfig } from './text-tokenizer.ts'

type Options = { template: string | null; packing: boolean; tooLong: TooLong }
type Context = TaskContext<Options, ChatFacts, Tokenizer>

/** Conversations that share a row of a batch. Empty for a row of data that was dropped. */
type Packed = readonly Conversation[]

export const chat = defineTask<Options, ChatFacts, Tokenizer>({
  name: 'chat',
  isObjective: true,
  about: 'answers of an assistant in conversations (supervised fine-tuning)',
  columns: CHAT_COLUMNS,
  options: z.object({
    template: templateOption,
    packing: z
      .boolean()
      .default(false)
      .describe('put several conversations into a row, which saves padding')
      .meta({ off: 'one conversation in each row' }),
    tooLong: tooLongOption,
  }),
  defaults: { steps: null, epochs: 3, context: 1024, weightDecay: 0 },
  inputColumn: () => 'prompt',
  head: () => 'causal-lm',
  texts: conversationTexts,
  ...overChatModel,
  newModelConfig: ({ preprocessor, modelType }) => vocabularyConfig(preprocessor, modelType),
  create: (context) => new Chat(context),
  batches: chatBatches,
})

/** Drops the conversations that are too long, and packs those for training if `packing` is set. */
async function chatBatches(setup: BatchSetup, context: Context): Promise<TrainingBatches> {
  const { contextLength, options } = context
  const task = new Chat(context)
  const remarks = new Set<string>()
  const fitting: Fitting<Packed> = {
    contextLength,
    tooLong: options.tooLong,
    length: (example) => task.length(example),
    isCut: (example) => example.some(({ cut }) => cut),
  }
  const batches = await rowBatches(setup, { kind: chat, task, context }, {
    keep: (all: Examples<Packed>) => keepFitting(all, fitting, remarks),
    arrange: (train: Examples<Packed>) => (options.packing ? packed(train, task, context) : train),
  }) // biome-ignore format: short
  return { ...batches, remarks: [...remarks] }
}

/** Groups of conversations that fill the context. */
function packed(all: Examples<Packed>, task: Chat, { contextLength }: Context): Examples<Packed> {
  const lengths = all.lengths ?? firstExamples(all).map((example) => task.length(example))
  const bins = packLengths(lengths, contextLength)
  return {
    length: bins.length,
    lengths: bins.map((bin) => bin.reduce((sum, i) => sum + lengths[i], 0)),
    at: (index) => bins[index]?.flatMap((i) => all.at(i) ?? []),
  }
}

class Chat implements Task<Packed, CausalLM> {
  readonly name = 'chat'
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'chat'
  private readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  async encode(row: Row): Promise<Packed[]> {
    const { preprocessor: tokenizer, contextLength, options } = this.context
    const messages = conversationOf(row, { complete: true })
    const whole = await encodeConversation(tokenizer, messages, toolsOf(row))
    const fitting = fitTo(whole, contextLength, options.tooLong)
    return [fitting ? [fitting] : []]
  }

  length(example: Packed): number {
    return example.reduce((sum, { ids }) => sum + ids.length, 0)
  }

  collate(examples: readonly Packed[], length: number): Batch {
    const inputs = examples.map((example) => example.flatMap(({ ids }) => ids))
    const targets = examples.map((example) => example.flatMap((part) => part.targets))
    const batch = {
      inputs: padded(inputs, length, padId(this.context.preprocessor)),
      targets: padded(targets, length, -100),
    }
    if (examples.every((example) => example.length <= 1)) return batch
    const texts = examples.map((example) => example.flatMap(({ ids }, i) => ids.map(() => i + 1)))
    return { ...batch, attention_mask: padded(texts, length, 0) }
  }

  /** With a single conversation in each row, the student or the teacher can write its last answer. */
  get distillation(): Distillation<CausalLM> {
    const { options, preprocessor } = this.context
    const counts = ({ targets }: Batch): number => countOf(targets)
    return {
      outputs(model, batch) {
        const items = batch.targets.ne(-100)
        return { logits: logitsOf(model, batch), labels: batch.targets, items, tokens: items }
      },
      counts: (batch) => ({ items: counts(batch), labels: counts(batch), tokens: counts(batch) }),
      ...(!options.packing && {
        continuation: {
          prompts: promptsIn,
          continued: withAnswers,
          stopTokens: async () => [(await preprocessor.endOfTurn()) ?? []].flat(),
        },
      }),
    }
  }

  loss(model: CausalLM, { inputs, targets, attention_mask }: BatchTensors): Tensor {
    return model.loss(inputs, targets, { attentionMask: attention_mask })
  }

  /** Loss and accuracy of the tokens of the answers, each given the correct tokens before it. */
  async evaluate(
    model: CausalLM,
    examples: readonly Packed[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const kept = examples.filter((example) => this.length(example) > 0)
    const results = await runExamples(kept, {
      batching: this,
      model,
      batchSize,
      forward: (batch) => {
        const logits = logitsOf(model, batch)
        const isRight = logits.argmax(-1).eq(batch.targets).to('f32')
        return [lossesOf(logits, batch).sum(-1), isRight.sum(-1)]
      },
      read: ([losses, right], row) => ({ loss: losses[row], right: right[row] }),
    })
    const counts = kept.map((example) => example.flatMap(({ targets }) => targets).filter(isCounted).length) // biome-ignore format: one line
    const tokens = counts.reduce((a, b) => a + b, 0)
    const total = (name: 'loss' | 'right'): number => results.reduce((sum, each) => sum + each[name], 0) // biome-ignore format: one line
    const loss = total('loss') / tokens
    return {
      metrics: {
        loss,
        perplexity: Math.exp(loss),
        token_accuracy: total('right') / tokens,
      },
      examples: kept.slice(0, show).map((example, i) => {
        const { prompt, answer } = lastAnswer(example[example.length - 1])
        const mean = results[i].loss / Math.max(1, counts[i])
        return {
          input: this.textOf(prompt),
          expected: this.textOf(answer),
          predicted: `loss ${mean.toFixed(3)}`,
          right: null,
          scores: { loss: mean, perplexity: Math.exp(mean) },
          difficulty: mean,
        }
      }),
    }
  }

  /** The loss of each token of the answers. */
  piecesOf(model: CausalLM, examples: readonly Packed[]): Promise<ShownPiece[][]> {
    return lossPieces(this, model, examples)
  }

  tokensOf(example: Packed): { text: string; counted: boolean }[] {
    return shownTokens(this.context.preprocessor, example[0])
  }

  /** Writes the last answer of each conversation again. */
  samples(model: CausalLM, examples: readonly Packed[]): Promise<ShownExample[]> {
    return answerAgain(model, this.context.preprocessor, examples.flatMap((example) => example.at(-1) ?? [])) // biome-ignore format: one line
  }

  predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    return answerRows(model, this.context.preprocessor, rows)
  }

  private textOf(ids: readonly number[]): string {
    return answerText(this.context.preprocessor, ids)
  }
}
