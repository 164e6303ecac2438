// What tasks that compare answers with those of the model at the start share.
import { z } from 'zod'
import type { Batch, Row } from '../../data/index.ts'
import type { CausalLM, Head } from '../../models/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { rowsOf } from '../micro-batches.ts'
import type { ShownExample, TaskContext } from '../task.ts'
import { answerAgain, answerRows, answerText } from '../tasks/answering.ts'
import { type ChatFacts, overChatModel } from '../tasks/chat-model.ts'
import {
  type Conversation,
  type TooLong,
  templateOption,
  tooLongOption,
} from '../tasks/conversation.ts'

/** The options that all of them have. */
export interface AnswerOptions extends Readonly<Record<string, unknown>> {
  template: string | null
  tooLong: TooLong
  beta: number
}

export const answerOptions = {
  template: templateOption,
  tooLong: tooLongOption,
  beta: z
    .number()
    .positive()
    .default(0.1)
    .describe('how strongly the model is kept near the model at the start'),
}

/** Keys of their definitions. */
export const overAnswers = {
  ...overChatModel,
  isAlignment: true,
  defaults: { steps: null, epochs: 1, context: 1024, batch: 8 },
  tuningDefaults: { lr: 1e-6, weightDecay: 0 },
  adapterDefaults: { lr: 5e-5 },
  inputColumn: () => 'prompt',
  head: (): Head => 'causal-lm',
} as const

/** Base of a task on answers to prompts. */
export abstract class AnswerTask<O extends AnswerOptions> {
  readonly head = 'causal-lm'
  readonly unit = 'tokens'
  readonly command = 'chat'
  protected readonly context: TaskContext<O, ChatFacts, Tokenizer>

  constructor(context: TaskContext<O, ChatFacts, Tokenizer>) {
    this.context = context
  }

  itemCounts(batch: Batch): number[] {
    return [rowsOf(batch)]
  }

  predict(model: CausalLM, rows: readonly Row[]): Promise<Record<string, unknown>[]> {
    return answerRows(model, this.context.preprocessor, rows)
  }

  /** Answers the prompts of conversations. */
  protected answer(model: CausalLM, all: readonly Conversation[]): Promise<ShownExample[]> {
    return answerAgain(model, this.context.preprocessor, all)
  }

  protected textOf(ids: readonly number[]): string {
    return answerText(this.context.preprocessor, ids)
  }
}
