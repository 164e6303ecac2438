// What is done with a trained model: heed eval, predict and report on a tiny run.
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { scratch, trainTiny, writeRows } from '../train/support.ts'
import { heed } from './in-process.ts'

const at = scratch()
const rows = ['film', 'meal', 'hotel', 'book', 'song', 'trip'].flatMap((subject) => [
  { text: `the ${subject} was lovely`, label: 'good' },
  { text: `the ${subject} was awful`, label: 'bad' },
])
const data = writeRows(at('opinions.jsonl'), rows)

beforeAll(async () => {
  const keys = {
    task: 'text-classification',
    data: [data],
    tokenizer: 'char',
    epochs: 60,
    lr: 4e-3,
  }
  await trainTiny(at('run'), {
    ...keys,
    model: 'bert',
    warmup: 5,
    dropout: 0,
    valFraction: 0,
    batch: 4,
  })
})

describe('heed eval', () => {
  it('prints metrics, the confusion matrix and what went wrong', async () => {
    const odd = writeRows(at('odd.jsonl'), [...rows, { text: 'the film was lovely', label: 'bad' }])
    const { out } = await heed('eval', at('run'), '--data', odd)
    expect(out).toMatch(/classification.* on 13 examples/)
    expect(out).toMatch(/accuracy +.*0\.9231/)
    expect(out).toMatch(/bad +.*6.*1/)
    expect(out).toMatch(/Wrong:\n.*the film was lovely.*\n.*good.*\(true: bad\)/)
    const json = JSON.parse((await heed('eval', at('run'), '--data', odd, '--json')).out)
    expect(json).toMatchObject({ task: 'text-classification', count: 13 })
    expect(json.confusion.counts).toEqual([
      [6, 1],
      [0, 6],
    ])
    const few = JSON.parse(
      (await heed('eval', at('run'), '--data', odd, '--limit', '3', '--json')).out,
    )
    expect(few.count).toBe(3)
  })

  it('lists rows that are wrong', async () => {
    const wrong = writeRows(at('wrong.jsonl'), [
      rows[0],
      { text: 'x', label: 'odd' },
      { label: 'bad' },
    ])
    const { mistake } = await heed('eval', at('run'), '--data', wrong)
    expect(mistake).toMatch(/2 rows .*\n.*wrong\.jsonl:2: .*odd.*\n.*wrong\.jsonl:3: .*'text'/)
    expect((await heed('eval', at('nothing'), '--data', wrong)).mistake).toMatch(/nothing\b/)
  })
})

describe('heed predict', () => {
  const lines = (out: string) => out.split('\n').map((line) => JSON.parse(line))

  it('answers texts and files, line by line', async () => {
    const { out } = await heed(
      'predict',
      at('run'),
      '--text',
      'the trip was awful',
      'the song was lovely',
    )
    expect(lines(out).map(({ label }) => label)).toEqual(['bad', 'good'])
    writeFileSync(at('lines.txt'), 'the book was lovely\n\nthe book was awful\n')
    const plain = await heed('predict', at('run'), at('lines.txt'), '--with-input', '--batch', '1')
    expect(lines(plain.out)).toMatchObject([
      { label: 'good', input: { text: 'the book was lovely' } },
      { label: 'bad', input: { text: 'the book was awful' } },
    ])
  })

  it('puts plain lines where the task looks for its text', async () => {
    const named = rows.map(({ text, label }) => ({ review: text, mood: label }))
    const keys = {
      task: 'text-classification',
      textColumn: 'review',
      labelColumn: 'mood',
      steps: 2,
    }
    const given = { ...keys, data: [writeRows(at('named.jsonl'), named)], tokenizer: 'char' }
    await trainTiny(at('named'), { ...given, model: 'bert', valFraction: 0 })
    writeFileSync(at('plain.txt'), 'the film was lovely\n')
    const { out } = await heed('predict', at('named'), at('plain.txt'), '--with-input')
    expect(lines(out)).toMatchObject([{ input: { review: 'the film was lovely' } }])
  })

  it('reads lines or JSON from standard input', async () => {
    const answers = async (text: string) => {
      const stdin = vi
        .spyOn(process, 'stdin', 'get')
        .mockReturnValue(Readable.from([text]) as never)
      try {
        return lines((await heed('predict', at('run'))).out).map(({ label }) => label)
      } finally {
        stdin.mockRestore()
      }
    }
    expect(await answers('the film was awful\nthe film was lovely\n')).toEqual(['bad', 'good'])
    expect(await answers('{"text": "the film was lovely", "id": 7}\n')).toEqual(['good'])
  })

  it('answers the other rows when one is wrong', async () => {
    const wrong = writeRows(at('some.jsonl'), [rows[0], { other: 1 }, rows[1]])
    const { out, mistake } = await heed('predict', at('run'), wrong)
    expect(lines(out)).toMatchObject([
      { label: 'good' },
      { error: expect.stringContaining('text') },
      { label: 'bad' },
    ])
    expect(mistake).toMatch(/some\.jsonl:2/)
  })
})

describe('heed data', () => {
  it('tells what is in the columns', async () => {
    const table = at('table.csv')
    const lines = Array.from(
      { length: 10 },
      (_, i) => `${'x'.repeat(i)},${i % 2 ? 'no' : 'yes'},same`,
    )
    writeFileSync(table, `text,label,kind\n${lines.join('\n')}\n`)
    const { out } = await heed('data', table)
    expect(out).toMatch(/10.* rows/)
    expect(out).toMatch(/text.* 1 missing; 9 text; length 1 to 9, median 5/)
    expect(out).toMatch(/yes.*5.*, no.*5/)
    expect(out).toMatch(/same.*10.*the same in all rows/)
    expect(out).toMatch(/Example 3.*table\.csv:4/)
  })

  it('shows examples as the model sees them', async () => {
    const { out } = await heed('data', data, '--run', at('run'))
    expect(out).toMatch(/input_ids.*\(1, \d+\).* t.*:\d+.* h.*:\d+/)
    expect(out).toMatch(/labels.*\(1\).* {2}1\n/)
    const flags = ['--task', 'text-classification', '--tokenizer', 'char', '--json']
    const json = JSON.parse((await heed('data', data, ...flags)).out)
    expect(json).toMatchObject({ rows: 12, examples: [rows[0], rows[1], rows[2]] })
    expect(json.columns[1]).toMatchObject({
      name: 'label',
      values: [
        ['good', 6],
        ['bad', 6],
      ],
    })
    expect(json.seen[0].map(({ name }: { name: string }) => name)).toContain('input_ids')
  })

  it('lists mistakes of all rows', async () => {
    writeFileSync(at('ragged.csv'), 'a,b\n1,2,3\n1,2\n1,2,3\n')
    expect((await heed('data', at('ragged.csv'))).mistake).toMatch(
      /2 rows .*\n.*ragged\.csv:2.*\n.*ragged\.csv:4/,
    )
  })
})
