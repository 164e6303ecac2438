// Classification of texts or pairs of texts, with one or several labels; optionally with the auxiliary language-model
// objective of GPT (Radford et al., 2018, section 3.2).
import { z } from 'zod'
import { type Batch, isMissing, type Row } from '../../data/index.ts'
import type { SequenceClassifier } from '../../models/index.ts'
import type { BatchTensors } from '../../pipelines/hold-batch.ts'
import {
  textClassification as pipeline,
  textLabelScores,
} from '../../pipelines/text-classification.ts'
import { encoderInputs, type TextExample, type TextInput } from '../../pipelines/text-examples.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { defineTask } from '../define-task.ts'
import { countItems, countOf, type LossTerms, rowsOf, sumOf } from '../micro-batches.ts'
import type { Distillation, EvaluateOptions, Evaluation } from '../task.ts'
import { evaluateLabels, predictionOf } from './label-report.ts'
import { indexOfLabel, labelConfig, labelsIn, surveyLabels } from './labels.ts'
import { textIn } from './text.ts'
import { TextTask } from './text-task.ts'

type Options = {
  textColumn: string
  pairColumn: string | null
  labelColumn: string
  multiLabel: boolean
  unlabelled: boolean
  lmWeight: number
}
type Facts = { labels: string[] }

export const textClassification = defineTask<Options, Facts, Tokenizer>({
  name: 'text-classification',
  about: 'labels of texts or pairs of texts',
  columns: 'rows with a text and its label; with `multiLabel`, a list of labels',
  options: z.object({
    textColumn: z.string().default('text').describe('column of the text'),
    pairColumn: z.string().nullable().default(null).describe('column of a second text'),
    labelColumn: z.string().default('label').describe('column of the label'),
    multiLabel: z
      .boolean()
      .default(false)
      .describe('allow several labels per text, or none')
      .meta({ off: 'require exactly one label per text' }),
    unlabelled: z
      .boolean()
      .default(false)
      .describe('accept rows without a label, which count in distillation only')
      .meta({ off: 'require a label in each row' }),
    lmWeight: z
      .number()
      .min(0)
      .default(0)
      .describe('weight of an additional next-token loss, for GPT (0.5 in the paper)'),
  }),
  facts: z.object({ labels: z.array(z.string()).min(1) }),
  defaults: { steps: null, epochs: 3, dropout: 0.1, weightDecay: 0.01 },
  inputColumn: ({ textColumn }) => textColumn,
  columnKeys: ['textColumn', 'pairColumn', 'labelColumn'],
  head: () => 'sequence-classification',
  survey: async (setup) => ({
    labels: await surveyLabels(setup, (row) => labelsOf(row, setup.options)),
  }),
  texts: (row, options) => textsOf(row, options),
  modelConfig: ({ facts, options }) => ({
    ...labelConfig(facts.labels),
    problem_type: options.multiLabel ? 'multi_label_classification' : 'single_label_classification',
  }),
  create: (context) => new TextClassification(context),
})

interface Example extends TextExample {
  text: string
  /** The indices of the labels. */
  labels: readonly number[]
}

class TextClassification extends TextTask<Example, SequenceClassifier, Options, Facts> {
  readonly name = 'text-classification'
  readonly head = 'sequence-classification'
  readonly validationMetrics = ['accuracy', 'f1']

  encode(row: Row): Example[] {
    const { options, facts } = this.context
    const labels = labelsOf(row, options).map((label) => indexOfLabel(facts.labels, label))
    return [{ ...this.encodeText(row), labels }]
  }

  private encodeText(row: Row): Omit<Example, 'labels'> {
    const { options, preprocessor, contextLength } = this.context
    const [text, pair] = textsOf(row, options)
    const { ids, typeIds } = preprocessor.encodeWithOffsets(text, {
      pair,
      maxLength: contextLength,
    })
    if (ids.length === 0)
      throw new HeedError('invalid-data', `the text must have tokens, got ${shown(text)}`)
    return pair === undefined ? { ids, text } : { ids, typeIds, text: `${text} ↔ ${pair}` }
  }

  override collate(examples: readonly Example[], length: number): Batch {
    const { options, facts } = this.context
    const batch = super.collate(examples, length)
    const rows = examples.length
    if (!options.multiLabel) {
      const data = Int32Array.from(examples, ({ labels }) => labels[0] ?? -100)
      return { ...batch, labels: { data, shape: [rows] } }
    }
    const data = new Float32Array(rows * facts.labels.length)
    examples.forEach(({ labels }, row) => {
      for (const label of labels) data[row * facts.labels.length + label] = 1
    })
    return { ...batch, labels: { data, shape: [rows, facts.labels.length] } }
  }

  /** Distillation compares distributions over labels, so that a text must have one label. */
  get distillation(): Distillation<SequenceClassifier> | undefined {
    const { multiLabel, lmWeight } = this.context.options
    if (multiLabel || lmWeight > 0) return undefined
    return {
      outputs(model, batch) {
        const inputs = encoderInputs(batch)
        const logits = model.forward(batch.input_ids, inputs)
        return { logits, labels: batch.labels, tokens: inputs.attentionMask }
      },
      counts: (batch) => ({
        items: rowsOf(batch),
        labels: countOf(batch.labels),
        tokens: sumOf(batch.lengths),
      }),
    }
  }

  loss(model: SequenceClassifier, batch: BatchTensors): LossTerms {
    const { lmWeight } = this.context.options
    const settings = encoderInputs(batch)
    if (lmWeight === 0) return model.loss(batch.input_ids, batch.labels, settings)
    if (model.jointLossTerms)
      return model.jointLossTerms(batch.input_ids, batch.labels, { ...settings, lmWeight })
    throw new HeedError(
      'unsupported',
      `\`lmWeight\` must be 0 for a model without a next-token loss (${model.constructor.name}), got ${lmWeight}`,
      {
        key: 'lmWeight',
        value: lmWeight,
        remedy: 'Omit it, or train a decoder such as gpt2.',
      },
    )
  }

  /** Counts texts, and with `lmWeight` the tokens except the first of each text. */
  itemCounts(batch: Batch): readonly number[] {
    if (this.context.options.lmWeight === 0) return countItems(batch)
    let following = 0
    for (const length of batch.lengths.data) following += Math.max(0, Number(length) - 1)
    return [rowsOf(batch), following]
  }

  async evaluate(
    model: SequenceClassifier,
    all: readonly Example[],
    { batchSize = 16, show = 50 }: EvaluateOptions = {},
  ): Promise<Evaluation> {
    const { preprocessor, facts, options } = this.context
    const examples = options.unlabelled ? all.filter(({ labels }) => labels.length > 0) : all
    const scores = await textLabelScores(model, preprocessor, examples, batchSize)
    return evaluateLabels({
      labels: facts.labels,
      multiLabel: options.multiLabel,
      scores,
      expected: examples.map(({ labels }) => labels),
      texts: examples.map(({ text }) => text),
      show,
    })
  }

  async predict(
    model: SequenceClassifier,
    rows: readonly Row[],
  ): Promise<Record<string, unknown>[]> {
    const { preprocessor: tokenizer, options, contextLength: maxLength } = this.context
    const inputs = rows.map((row): TextInput => {
      const [text, pair] = textsOf(row, options)
      return { text, text_pair: pair }
    })
    const classify = pipeline({ model, tokenizer })
    const lists = await classify(inputs, { topK: null, truncate: true, maxLength })
    return lists.map((list) => predictionOf(list, model))
  }
}

/** The labels of a row; none for a row without a label, where that is accepted. */
function labelsOf(row: Row, options: Options): string[] {
  const { unlabelled, labelColumn } = options
  const isUnlabelled = unlabelled && isMissing(row.values[labelColumn])
  return isUnlabelled ? [] : labelsIn(row, options)
}

function textsOf(row: Row, { textColumn, pairColumn }: Options): string[] {
  const columns = [textColumn, pairColumn].filter((column) => column !== null)
  return columns.map((column) => textIn(row, column))
}
