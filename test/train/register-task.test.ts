// A task that is registered from outside works in training, evaluation, prediction, reports and resuming.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { SequenceClassifier } from '../../src/models/index.ts'
import {
  type BatchTensors,
  type Evaluation,
  encoderInputs,
  evaluateRun,
  labelConfig,
  openRun,
  predictRun,
  registerTask,
  reportRun,
  runExamples,
  type TextExample,
  TextTask,
  textIn,
  trainTasks,
} from '../../src/train/index.ts'
import { classed, named, parse, textOf } from '../report/parse.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny, writeRows } from './support.ts'

interface Example extends TextExample {
  isQuestion: boolean
}

/** Whether a text ends with a question mark, which the model does not see. */
class Questions extends TextTask<Example, SequenceClassifier, { textColumn: string }> {
  readonly name = 'questions'
  readonly head = 'sequence-classification'

  encode(row: Parameters<TextTask<Example>['encode']>[0]): Example[] {
    const text = textIn(row, this.context.options.textColumn)
    const { ids } = this.context.preprocessor.encodeWithOffsets(text.replace('?', ''), {
      maxLength: this.context.contextLength,
    })
    return [{ ids, isQuestion: text.endsWith('?') }]
  }

  override collate(examples: readonly Example[], length: number) {
    const data = Int32Array.from(examples, ({ isQuestion }) => Number(isQuestion))
    return { ...super.collate(examples, length), labels: { data, shape: [examples.length] } }
  }

  loss(model: SequenceClassifier, batch: BatchTensors) {
    return model.loss(batch.input_ids, batch.labels, encoderInputs(batch))
  }

  async evaluate(model: SequenceClassifier, examples: readonly Example[]): Promise<Evaluation> {
    const guesses = await this.guess(model, examples)
    const right = guesses.filter((guess, i) => guess === examples[i].isQuestion).length
    const shown = guesses.map((guess, i) => ({
      input: `text ${i}`,
      expected: String(examples[i].isQuestion),
      predicted: String(guess),
      right: guess === examples[i].isQuestion,
      scores: { 'place in the data': i },
      difficulty: i,
    }))
    return { metrics: { accuracy: right / examples.length }, examples: shown }
  }

  async piecesOf(_model: SequenceClassifier, examples: readonly Example[]) {
    return examples.map(({ ids }) => [{ text: `${ids.length} tokens`, expected: 'A', predicted: 'B' }]) // biome-ignore format: one line
  }

  async predict(model: SequenceClassifier, rows: Parameters<TextTask<Example>['predict']>[1]) {
    const guesses = await this.guess(
      model,
      rows.flatMap((row) => this.encode(row)),
    )
    return guesses.map((isQuestion) => ({ isQuestion }))
  }

  private guess(model: SequenceClassifier, examples: readonly Example[]): Promise<boolean[]> {
    return runExamples(examples, {
      batching: this,
      model,
      batchSize: 8,
      forward: (batch) => [model.forward(batch.input_ids, encoderInputs(batch)).argmax(-1)],
      read: ([guesses], row) => guesses[row] === 1,
    })
  }
}

type QuestionContext = ConstructorParameters<typeof Questions>[0]

const at = scratch()
const words = ['who', 'where', 'ada', 'rome']
const data = writeRows(
  at('texts.jsonl'),
  Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? `${words[(i >> 1) % 2]} is it?` : `${words[2 + ((i >> 1) % 2)]} is it` })), // biome-ignore format: one line
)

registerTask({
  name: 'questions',
  about: 'whether a text is a question',
  columns: 'rows with a text',
  options: z.object({ textColumn: z.string().default('text').describe('column of the text') }),
  texts: (row, { textColumn }) => [textIn(row, String(textColumn))],
  head: () => 'sequence-classification',
  modelConfig: () => labelConfig(['statement', 'question']),
  create: (context: QuestionContext) => new Questions(context),
})

describe('a registered task', () => {
  const keys = { model: 'bert', task: 'questions', data: [data], steps: 40, lr: 4e-3, warmup: 4 }

  it('trains, is resumed, evaluates, predicts and reports', async () => {
    expect(trainTasks()).toContain('questions')
    const out = at('run')
    await trainTiny(out, keys, { stopAt: 20 })
    await trainTiny(out, keys, { resume: true })
    const { metrics, task } = await evaluateRun(out, [data])
    expect(task).toBe('questions')
    expect(metrics.accuracy).toBeGreaterThan(0.9)
    const rows = ['who is it?', 'ada is it'].map((text, i) => ({ values: { text }, file: 'x', number: i + 1 })) // biome-ignore format: one line
    const outputs: unknown[] = []
    for await (const { output } of predictRun(out, rows)) outputs.push(output)
    expect(outputs).toEqual([{ isQuestion: true }, { isQuestion: false }])
    expect((await openRun(out)).inputColumn).toBe('text')
    const page = parse(readFileSync(await reportRun(out, { data: [data] }), 'utf8'))
    const examples = named(classed(page, 'examples')[0], 'li').map(textOf)
    expect(examples[0]).toMatch(/\d tokens.*A → B.*place in the data ?39$/) // the most difficult
    expect(examples.at(-1)).toMatch(/place in the data ?0$/)
  })

  it.each([
    ['questions', 'already-exists'],
    ['text-classification', 'already-exists'],
    ['classification', 'already-exists'],
    ['ner', 'already-exists'],
    ['__proto__', 'invalid-option'],
    ['../x', 'invalid-option'],
    ['constructor', 'invalid-option'],
  ] as const)('cannot be called %s', (name, code) => {
    const task = { name, about: '', columns: '', head: () => 'encoder' as const, create: (context: QuestionContext) => new Questions(context) } // biome-ignore format: one line
    expect(() => registerTask(task)).toThrow(heedError(code))
  })

  it('needs texts for a new tokenizer', async () => {
    registerTask({
      name: 'without-texts',
      about: 'a task that says nothing of its texts',
      columns: 'rows',
      head: () => 'sequence-classification',
      create: (context: QuestionContext) => new Questions(context),
    })
    const settings = { ...keys, task: 'without-texts' }
    await expect(trainTiny(at('none'), settings)).rejects.toMatchObject({
      code: 'unsupported',
      message: "The task 'without-texts' must have `texts` or a `preprocessor`",
    })
  })
})
