// Labels: their names in the rows, and their numbers in the model.
import { Mistakes, type Row } from '../../data/index.ts'
import { HeedError } from '../../util/errors.ts'
import { nearestFirst } from '../../util/nearest.ts'
import type { DataSetup } from '../task.ts'
import { valueIn } from './text.ts'

interface LabelColumn {
  labelColumn: string
  multiLabel: boolean
}

/** The labels of a row: one, or with `multiLabel` a list, which in a cell of text is cut at commas. */
export function labelsIn(row: Row, { labelColumn, multiLabel }: LabelColumn): string[] {
  const value = valueIn(row, labelColumn)
  if (!multiLabel) return [labelOf(value, labelColumn)]
  const list = typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value
  if (!Array.isArray(list))
    throw new HeedError(
      'unknown-name',
      `'${labelColumn}' is ${JSON.stringify(value).slice(0, 80)}, not a list`,
    )
  return list.filter((one) => one !== '').map((one) => labelOf(one, labelColumn))
}

function labelOf(value: unknown, column: string): string {
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  const label = plain ? String(value).trim() : ''
  if (label !== '' && label.length <= LONGEST) return label
  throw new HeedError(
    'invalid-option',
    `'${column}' is ${JSON.stringify(value)?.slice(0, 80)}, not a label`,
  )
}

/**
 * All labels, numbers by their size and names by the alphabet.
 * @throws HeedError when there is one only, or so many that they are none
 */
export async function surveyLabels(
  { data, options }: DataSetup,
  labelsOf: (row: Row) => readonly string[],
): Promise<string[]> {
  const found = new Set<string>()
  const mistakes = new Mistakes()
  let rows = 0
  for await (const row of (await data.source()).rows(mistakes)) {
    rows++
    for (const label of mistakes.attempt(row, () => labelsOf(row)) ?? []) found.add(label)
    if (found.size > MOST)
      throw new HeedError(
        'invalid-option',
        `There are more than ${MOST} labels in the first ${rows} rows`,
        {
          remedy: `Is '${options.labelColumn}' the column of the labels?`,
        },
      )
  }
  mistakes.throwIfAny()
  const labels = [...found].sort(byName)
  if (labels.length > 1 || (labels.length === 1 && options.multiLabel === true)) return labels
  const what = labels.length === 1 ? `all have the label '${labels[0]}'` : 'none has a label'
  throw new HeedError('unknown-name', `There is nothing to tell apart: of ${rows} rows, ${what}`, {
    remedy: 'Give rows of two labels or more.',
  })
}

/** @throws HeedError for a label that was not there when the others were collected */
export function indexOfLabel(labels: readonly string[], label: string): number {
  const index = labels.indexOf(label)
  if (index >= 0) return index
  const known = nearestFirst(label, labels).slice(0, 8).join(', ')
  throw new HeedError('unknown-name', `the label '${label}' is unknown; known are ${known}`)
}

/** As config.json has them. */
export const labelConfig = (labels: readonly string[]): Record<string, unknown> => ({
  id2label: Object.fromEntries(labels.map((label, i) => [String(i), label])),
  label2id: Object.fromEntries(labels.map((label, i) => [label, i])),
})

function byName(a: string, b: string): number {
  const difference = Number(a) - Number(b)
  if (difference !== 0 && !Number.isNaN(difference)) return difference
  return a < b ? -1 : 1
}

const LONGEST = 200
const MOST = 2000
