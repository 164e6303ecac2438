// Batches of tasks that compare the trained model with the model at the start.
import type { Examples } from '../../data/index.ts'
import { padId } from '../../pipelines/text-examples.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'
import { encodeRows } from '../examples.ts'
import { rowBatches } from '../row-batches.ts'
import type {
  BatchSetup,
  HeldOutExamples,
  HeldOutSetup,
  Task,
  TaskContext,
  TaskData,
  TaskDefinition,
  TrainingBatches,
} from '../task.ts'
import { keepFitting } from '../tasks/chat-model.ts'
import type { Conversation, TooLong } from '../tasks/conversation.ts'
import { Reference } from './reference.ts'

/** A task whose examples consist of answers, which the model at the start scores. */
export interface Compared<E> {
  kind: Pick<TaskDefinition, 'name' | 'keepsExamples'>
  task: Task<E>
  context: TaskContext & { options: { tooLong: TooLong }; preprocessor: Tokenizer }
  /** The answers of an example; none if it was dropped. */
  answers(example: E): readonly Conversation[]
  /** Further answers to score for the examples of a training batch. Default: none. */
  ofBatch?(examples: readonly E[]): readonly Conversation[]
  /** Completes held-out examples, whose batches are not known in advance. Default: they stay as they are. */
  hold?(examples: Examples<E>): Examples<E>
}

/** The scores by the model at the start, for the tasks of one context. */
const references = new WeakMap<object, Reference>()

/** The scores by the model at the start. @throws HeedError before `comparedBatches` or `comparedHeldOut` */
export function referenceOf(context: object): (answer: Conversation) => number {
  const reference = references.get(context)
  return (answer) => {
    const score = reference?.of(answer)
    if (score !== undefined) return score
    throw new HeedError('invalid-state', 'The answers must be scored by the model at the start of the run', {
      key: 'reference',
      remedy: 'Evaluate the folder of the run, on its own data or on other files.',
    }) // biome-ignore format: one line
  }
}

/** Creates the batches of a run, and scores the answers that the run uses. */
export async function comparedBatches<E>(
  setup: BatchSetup,
  { kind, task, context, answers, ofBatch, hold }: Compared<E>,
): Promise<TrainingBatches> {
  const { contextLength, options, preprocessor } = context
  const reference = await Reference.open(setup.run)
  references.set(context, reference)
  const remarks = new Set<string>()
  const fitting = {
    contextLength,
    tooLong: options.tooLong,
    length: (example: E) => task.length(example),
    isCut: (example: E) => answers(example).some(({ cut }) => cut),
  }
  const batches = await rowBatches<E>(setup, { kind, task, context }, {
    keep: (all) => keepFitting(all, fitting, remarks),
    hold,
    async complete({ steps, held }) {
      function* all(): Generator<Conversation> {
        for (const examples of steps) {
          for (const example of examples) yield* answers(example)
          yield* ofBatch?.(examples) ?? []
        }
        yield* answersIn(held, answers)
      }
      await reference.add(all(), { ...setup, batchSize: SCORED, pad: padId(preprocessor) })
      await reference.save(setup.run)
    },
  }) // biome-ignore format: short
  return { ...batches, remarks: [...remarks] }
}

/** Encodes held-out rows, and scores their answers. */
export async function comparedHeldOut<E>(
  data: TaskData,
  setup: HeldOutSetup,
  { task, context, answers, hold = (held) => held }: Compared<E>,
): Promise<HeldOutExamples<E>> {
  const onRows = (rows: number): void => setup.onProgress?.('Encoding rows', rows)
  const all = await encodeRows(task, await data.source(), { onRows, signal: setup.signal })
  const reference = await Reference.open(setup.run)
  references.set(context, reference)
  const examples = hold(all.filter((example) => task.length(example) > 0))
  await reference.add(answersIn(examples, answers), { ...setup, batchSize: SCORED, pad: padId(context.preprocessor) }) // biome-ignore format: one line
  return { examples }
}

function* answersIn<E>(
  examples: Examples<E>,
  answers: Compared<E>['answers'],
): Generator<Conversation> {
  for (let i = 0; i < examples.length; i++) {
    const example = examples.at(i)
    if (example !== undefined) yield* answers(example)
  }
}

/** Number of answers that the model at the start scores together. */
const SCORED = 16
