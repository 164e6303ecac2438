// The names of labels in rows, and their indices in the model.
import { isMissing, Mistakes, type Row } from '../../data/index.ts'
import { ROW_SOURCE } from '../../data/row.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { alternatives, HeedError, shown } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import { having, optionKinds } from '../../util/options.ts'
import type { DataSetup } from '../task.ts'

/** Where the labels of a row are. */
export interface LabelColumn {
  /** Column of the label. */
  labelColumn: string
  /** Whether a row has a list of labels. */
  multiLabel: boolean
}

const COLUMN = optionKinds<LabelColumn>({ labelColumn: 'text', multiLabel: 'flag' })
const checkRow = argumentKinds('labelsIn', { 'row.values': 'object' })
const checkSurvey = argumentKinds('surveyLabels', {
  'setup.data': having('the data of a run', 'source'),
  'setup.options': 'object',
  labelsOf: 'function',
})
const checkSource = argumentKinds('surveyLabels', { 'data.source()': ROW_SOURCE })
const checkIndex = argumentKinds('indexOfLabel', { labels: 'list', label: 'text' })

/**
 * Reads the labels of a row: one label, or with `multiLabel` a list, which may be empty. Text is split at commas then.
 * @throws HeedError for a missing label, and for a value that is not a label
 */
export function labelsIn(row: Row, column: LabelColumn): string[] {
  checkRow(row?.values)
  COLUMN.checkValues('labelsIn', column)
  const { labelColumn, multiLabel } = column
  const value = Object.hasOwn(row.values, labelColumn) ? row.values[labelColumn] : undefined
  const isNone = multiLabel && (value === '' || (Array.isArray(value) && value.length === 0))
  if (isNone) return []
  if (isMissing(value)) throw unlabelled(value, labelColumn)
  if (!multiLabel) return [labelOf(value, labelColumn)]
  const list = typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : value // biome-ignore format: one line
  if (Array.isArray(list)) return list.map((label) => labelOf(label, labelColumn))
  throw new HeedError(
    'invalid-data',
    `'${labelColumn}' must be a list of labels, got ${shown(value)}`,
    { key: labelColumn, value },
  )
}

/** Converts a value to a label: text, a number or a boolean. @throws HeedError for missing and other values */
export function labelOf(value: unknown, column: string): string {
  if (isMissing(value) || isMissingLabel(value)) throw unlabelled(value, column)
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value)
  const label = isPlain ? String(value).trim() : ''
  if (label !== '' && label.length <= LONGEST) return label
  throw new HeedError('invalid-data', `'${column}' must be a label, got ${shown(value)}`, {
    key: column,
    value,
    expected: `text of 1 to ${LONGEST} characters, a number or a boolean`,
  })
}

/** Whether a label is a marker for a missing value, such as NaN or N/A. */
export const isMissingLabel = (value: unknown): boolean =>
  typeof value === 'string' && MISSING.has(value.trim())

const MISSING: ReadonlySet<string> = new Set(
  'NaN nan -nan NA N/A n/a #N/A <NA> null NULL \\N'.split(' '),
)

const unlabelled = (value: unknown, column: string): HeedError =>
  new HeedError(
    'invalid-data',
    `the row must have a label in '${column}', got ${value === undefined ? 'nothing' : shown(value)}`,
    {
      key: column,
      value,
      remedy: isMissingLabel(value)
        ? `Remove the rows without a label; rename a label called ${shown(value)}.`
        : 'Add the label, or remove rows without one.',
    },
  )

/**
 * Collects the labels of all rows: numbers sorted by value, then names in alphabetical order.
 * @throws HeedError for a single label, and for more than 2,000 labels
 */
export async function surveyLabels(
  setup: DataSetup,
  labelsOf: (row: Row) => readonly string[],
): Promise<string[]> {
  const { data, options }: DataSetup = Object(setup)
  checkSurvey(data, options, labelsOf)
  const names = new Set<string>()
  const mistakes = new Mistakes()
  let rows = 0
  const source = await data.source()
  checkSource(source)
  const readLabels = (row: Row): readonly string[] => {
    const labels = labelsOf(row)
    checkArgument('surveyLabels', 'labelsOf(row)', labels, 'texts')
    return labels
  }
  for await (const row of source.rows(mistakes)) {
    rows++
    for (const label of mistakes.attempt(row, () => readLabels(row)) ?? []) names.add(label)
    if (names.size > MOST)
      throw new HeedError(
        'invalid-data',
        `The data must have at most ${MOST} labels, got more in the first ${rows} rows`,
        {
          key: 'labelColumn',
          value: options.labelColumn,
          remedy: `Is '${options.labelColumn}' the column of the labels? Select another column with \`labelColumn\`.`,
        },
      )
  }
  mistakes.throwIfAny()
  const labels = [...names].sort(byName)
  if (labels.length > 1 || (labels.length === 1 && options.multiLabel === true)) return labels
  const labelled = labels.length === 1 ? `only one ('${labels[0]}')` : 'none'
  throw new HeedError(
    'invalid-data',
    `The data must have two or more labels, got ${labelled} in ${rows} rows`,
    { key: 'labelColumn', value: options.labelColumn, remedy: 'Add rows with other labels.' },
  )
}

/** The index of a label. @throws HeedError for an unknown label */
export function indexOfLabel(labels: readonly string[], label: string): number {
  checkIndex(labels, label)
  const index = labels.indexOf(label)
  if (index >= 0) return index
  const known = alternatives(nearestFirst(label, labels).slice(0, 8))
  throw new HeedError('invalid-data', `the label must be ${known}, got '${label}'`, {
    value: label,
  })
}

/** The keys of config.json for labels: `id2label` and `label2id`. */
export function labelConfig(labels: readonly string[]): Record<string, unknown> {
  checkArgument('labelConfig', 'labels', labels, 'texts')
  return {
    id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
    label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
  }
}

/** Sorts numbers before names. The order is total, so it does not depend on the order of the rows. */
function byName(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)]
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1
  if (x !== y && !Number.isNaN(x)) return x < y ? -1 : 1
  return a < b ? -1 : Number(a > b)
}

const LONGEST = 200
const MOST = 2000
