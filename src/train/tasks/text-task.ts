import type { Batch, Row } from '../../data/index.ts'
import type { Head } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import { padId, type TextExample, textBatch } from '../../pipelines/text-examples.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import type { LossTerms } from '../micro-batches.ts'
import type { EvaluateOptions, Evaluation, Facts, Options, Task, TaskContext } from '../task.ts'

/**
 * Base class of tasks on text. A subclass encodes rows, computes the loss, evaluates and predicts. It may override
 * `collate` to add inputs of the loss, such as labels, to `super.collate(examples, length)`.
 */
export abstract class TextTask<
  E extends TextExample,
  M extends Module = Module,
  O = Options,
  F = Facts,
> implements Task<E, M>
{
  /** Name of the task, such as `text-classification`. */
  abstract readonly name: string
  abstract readonly head: Head
  readonly unit: Task['unit'] = 'rows'
  /** What the task was created from. */
  protected readonly context: TaskContext<O, F, Tokenizer>

  /** Keeps the context. */
  constructor(context: TaskContext<O, F, Tokenizer>) {
    checkArgument('TextTask', 'context', context, 'object')
    this.context = context
  }

  abstract encode(row: Row): readonly E[] | Promise<readonly E[]>
  abstract loss(model: M, batch: BatchTensors): LossTerms
  abstract evaluate(
    model: M,
    examples: readonly E[],
    options?: EvaluateOptions,
  ): Promise<Evaluation>
  abstract predict(model: M, rows: readonly Row[]): Promise<Record<string, unknown>[]>

  length({ ids }: E): number {
    return ids.length
  }

  /** Returns input_ids (B, T), lengths (B), and token_type_ids (B, T) if the examples have them. */
  collate(examples: readonly E[], length: number): Batch {
    return textBatch(examples, length, padId(this.context.preprocessor))
  }
}
