// Missing values mean the same in all readers and tasks: the row is reported, none of them passes as a value.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openRows, surveyRows } from '../../src/data/index.ts'
import { heed } from '../cli/in-process.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()

async function rowsOf(path: string): Promise<Readonly<Record<string, unknown>>[]> {
  const rows: Readonly<Record<string, unknown>>[] = []
  for await (const { values } of (await openRows(path)).rows()) rows.push(values)
  return rows
}

describe('readers', () => {
  it('give null for null and NaN, at every depth', async () => {
    const line = '{"a": NaN, "b": null, "c": [1, NaN, {"d": NaN, "e": [NaN]}], "f": "NaN"}'
    const row = { a: null, b: null, c: [1, null, { d: null, e: [null] }], f: 'NaN' }
    for (const name of ['a.jsonl', 'a.json']) {
      writeFileSync(at(name), line)
      expect(await rowsOf(at(name))).toEqual([row])
    }
    writeFileSync(at('list.json'), `[${line},\n${line}]`)
    expect(await rowsOf(at('list.json'))).toEqual([row, row])
    expect(await rowsOf(join(FIXTURES, 'rows', 'missing.parquet'))).toEqual([
      { label: 1, half: 1, tags: [1, null], inner: { x: null, y: [null] }, time: '1970-01-01T00:00:00.000Z' }, // biome-ignore format: one line
      { label: null, half: null, tags: [null, 2], inner: { x: null, y: null }, time: null },
      { label: null, half: null, tags: null, inner: null, time: '1970-01-01T00:00:00.001Z' },
    ])
    writeFileSync(at('a.csv'), 'a,b\n1\n,2\n')
    expect(await rowsOf(at('a.csv'))).toEqual([
      { a: '1', b: null },
      { a: '', b: '2' },
    ])
  })

  it('are not stopped by values within values without end', async () => {
    const deep = (depth: number): string =>
      `{"a": ${'['.repeat(depth)}NaN${']'.repeat(depth)}, "b": NaN}`
    for (const depth of [60, 900, 50_000]) {
      writeFileSync(at('deep.jsonl'), deep(depth))
      const [row] = await rowsOf(at('deep.jsonl')).catch((error) => [error])
      expect(row.b === null || row.code === 'invalid-data').toBe(true)
      const surveyed = openRows(at('deep.jsonl')).then(surveyRows)
      await surveyed.catch((error) => expect(error.code).toBe('invalid-data'))
    }
  })

  it('are summarised with missing values counted, those in lists too', async () => {
    const survey = await surveyRows(await openRows(join(FIXTURES, 'rows', 'missing.parquet')))
    const types = Object.fromEntries(survey.columns.map(({ name, types }) => [name, types]))
    expect(types).toMatchObject({
      label: { number: 1, missing: 2 },
      tags: { 'list with missing values': 2, missing: 1 },
      inner: { 'object with missing values': 2, missing: 1 },
    })
    const labels = ['a', 'NA', 'b', 'a', 'NA', 'b', 'a', 'b', 'b']
    writeFileSync(at('labels.csv'), `label,n\n${labels.map((label) => `${label},1\n`).join('')}`)
    expect((await heed('data', at('labels.csv'))).out).toMatch(/NA 2 \(no label\)/)
  })
})

describe('labels', () => {
  const train = (name: string, text: string, more: object = {}) => {
    writeFileSync(at(name), text)
    const keys = { model: 'bert', task: 'text-classification', data: [at(name)], tokenizer: 'char' }
    return trainTiny(at(`run of ${name}`), { ...keys, steps: 1, evalEvery: 0, ...more })
  }

  it.each([
    ['', 'csv', ','],
    ['""', 'csv', ','],
    ['NaN', 'csv', ','],
    ['nan', 'csv', ','],
    ['NA', 'tsv', '\t'],
    ['null', 'tsv', '\t'],
    ['NULL', 'csv', ';'],
    ['N/A', 'csv', '|'],
    ['\\N', 'tsv', '\t'],
  ])('%j in a table is reported', async (label, ending, separator) => {
    const lines = [
      ['text', 'label'],
      ['a', 'x'],
      ['b', 'y'],
      ['c', label],
      ['d', 'x'],
    ]
    const text = lines.map((cells) => cells.join(separator)).join('\n')
    await expect(train(`missing.${ending}`, text)).rejects.toThrow(
      heedError('invalid-data', { mentions: ['missing.', ':4: ', "'label'"] }),
    )
  })

  it.each([
    '{"tokens": ["a", "b"], "tags": ["x", null]}',
    '{"tokens": ["a", "b"], "tags": ["x", NaN]}',
    '{"tokens": ["a", "b"], "tags": [1, ""]}',
    '{"tokens": ["a", "b"], "tags": "x NaN"}',
  ])('of words: %s', async (line) => {
    const text = `{"tokens": ["a", "b"], "tags": [true, 1]}\n${line}\n`
    await expect(train('tags.jsonl', text, { task: 'token-classification' })).rejects.toThrow(
      heedError('invalid-data', { mentions: ['.jsonl:2', "'tags'"] }),
    )
  })

  it.each(['[1, null]', '[NaN]', 'null', 'NaN'])('of several: %s', async (label) => {
    const text = `{"text": "a", "label": [true, 1]}\n{"text": "b", "label": []}\n{"text": "c", "label": ${label}}\n`
    await expect(train('several.jsonl', text, { multiLabel: true })).rejects.toThrow(
      heedError('invalid-data', { mentions: ['.jsonl:3', "'label'"] }),
    )
  })

  it('may be numbers and booleans in every task', async () => {
    const labelled = (values: unknown[]): string =>
      values.map((label, i) => JSON.stringify({ text: `a ${i}`, label })).join('\n')
    await train('numbers.jsonl', labelled([0, 1.5, true, 'x', -2, 0]))
    const tags = { tokens: ['a', 3, true], tags: [0, false, 'x'] }
    const { task } = await train('tagged.jsonl', JSON.stringify(tags), { task: 'token-classification', valFraction: 0 }) // biome-ignore format: one line
    expect(task.encode({ values: tags, file: '', number: 1 })).toMatchObject([
      { words: ['a', '3', 'true'], tags: [0, 1, 2] },
    ])
    await train('lists.jsonl', labelled([[0, true], ['x'], [], [1.5]]), { multiLabel: true })
  })

  it('have an order that does not depend on the order of rows', async () => {
    const names = ['10', '9', '1a', '2', 'b', 'true', '-1', '1e3', 'NaNs', '1.0', '1']
    for (let shift = 0; shift < names.length; shift += 3) {
      const labels = [...names.slice(shift), ...names.slice(0, shift)]
      const rows = labels.map((label) => ({ text: 'a', label }))
      const data = [writeRows(at(`order${shift}.jsonl`), rows)]
      const keys = { model: 'bert', task: 'text-classification', data, tokenizer: 'char' }
      const { model } = await trainTiny(at(`order ${shift}`), { ...keys, steps: 1, evalEvery: 0 })
      expect((model as unknown as { labels: string[] }).labels).toEqual([
        '-1',
        '1',
        '1.0',
        '2',
        '9',
        '10',
        '1e3',
        '1a',
        'NaNs',
        'b',
        'true',
      ])
    }
  })

  it('without their column are reported once, with the columns that exist', async () => {
    const text = Array.from({ length: 30 }, (_, i) => `{"text": "a ${i}", "kind": "x"}`).join('\n')
    const error = await train('other.jsonl', text).catch((reason) => reason)
    expect(error).toEqual(
      heedError('invalid-data', {
        key: 'labelColumn',
        mentions: ["'label'", "'text', 'kind'"],
        remedy: '`labelColumn`',
      }),
    )
    const { mistake } = await heed('train', 'bert', '--task', 'text-classification', '--data', at('other.jsonl'), '--out', at('none')) // biome-ignore format: one line
    expect(mistake).toContain('--label-column')
  })
})
