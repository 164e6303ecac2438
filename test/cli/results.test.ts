// Results of a run in files: evaluation of what it held out, predictions as tables.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openRows } from '../../src/data/index.ts'
import { linesOf, scratch, trainTiny, writeRows } from '../train/support.ts'
import { heed } from './in-process.ts'

const at = scratch()
const text = '"the whale" swam and "the ship" sailed over the sea. '.repeat(60)
const rows = Array.from({ length: 40 }, (_, i) => ({
  text: `${i % 2 ? 'good' : 'bad'}, "${i}"`,
  label: i % 2 ? 'good' : 'bad',
}))

beforeAll(async () => {
  writeFileSync(at('text.txt'), text)
  const more = { dropout: 0, logEvery: 5, lr: 4e-3 }
  await trainTiny(at('text'), { ...more, model: 'gpt2', data: [at('text.txt')], steps: 30 })
  const data = [writeRows(at('rows.jsonl'), rows)]
  const task = 'text-classification'
  await trainTiny(at('labels'), {
    ...more,
    model: 'bert',
    task,
    data,
    tokenizer: 'char',
    steps: 30,
  })
})

const lastValidation = (run: string): number =>
  Number(linesOf(run).findLast((line) => line.val_loss !== undefined)?.val_loss)

describe('heed eval', () => {
  it.each(['text', 'labels'])('evaluates what the run %s held out', async (name) => {
    const { out, mistake } = await heed('eval', at(name), '--json')
    expect(mistake).toBe('')
    const { metrics, count } = JSON.parse(out)
    expect(metrics.loss).toBeCloseTo(lastValidation(at(name)), 5)
    expect(count).toBe(name === 'labels' ? 4 : Math.ceil((text.length / 10 - 1) / 32))
    const best = JSON.parse((await heed('eval', join(at(name), 'best'), '--json')).out)
    expect(best.count).toBe(count)
    const few = JSON.parse((await heed('eval', at(name), '--limit', '2', '--json')).out)
    expect(few.count).toBe(2)
  })

  it('evaluates other text in windows', async () => {
    const { out } = await heed('eval', at('text'), '--data', at('text.txt'), '--json')
    const { metrics, count } = JSON.parse(out)
    expect(count).toBe(Math.ceil((text.length - 1) / 32))
    expect(metrics.perplexity).toBeCloseTo(Math.exp(metrics.loss), 6)
  })

  it('says that nothing was held out', async () => {
    const keys = { model: 'bert', task: 'text-classification', data: [at('rows.jsonl')] }
    await trainTiny(at('all'), { ...keys, tokenizer: 'char', steps: 1, valFraction: 0 })
    const { mistake } = await heed('eval', at('all'))
    expect(mistake).toMatch(/all\b.*held-out.*\n.*--data/)
  })
})

describe('heed predict --out', () => {
  const predicted = async (name: string, ...more: string[]) => {
    const flags = [at('rows.jsonl'), '--out', at(name), ...more]
    const { out, mistake } = await heed('predict', at('labels'), ...flags)
    expect([out, mistake]).toEqual(['', ''])
    const found: Record<string, unknown>[] = []
    for await (const { values } of (await openRows(at(name))).rows()) found.push(values)
    return found
  }

  it('writes a table, with the rows beside the predictions', async () => {
    for (const name of ['out.csv', 'out.tsv']) {
      const found = await predicted(name, '--with-input')
      expect(found).toHaveLength(40)
      expect(Object.keys(found[0])).toEqual([
        'label',
        'score',
        'scores.bad',
        'scores.good',
        'input.text',
        'input.label',
      ])
      expect(found.map((row) => row['input.text'])).toEqual(rows.map(({ text }) => text))
    }
  })

  it('writes lines of JSON', async () => {
    const found = await predicted('out.jsonl')
    expect(found).toHaveLength(40)
    expect(found[0]).toMatchObject({
      label: expect.any(String),
      scores: { bad: expect.any(Number) },
    })
  })

  it('writes what was predicted when rows are wrong, and reports them', async () => {
    const wrong = writeRows(at('wrong.jsonl'), [rows[0], { other: 1 }, rows[1]])
    const { mistake } = await heed('predict', at('labels'), wrong, '--out', at('some.csv'))
    expect(mistake).toMatch(/wrong\.jsonl:2/)
    expect(readFileSync(at('some.csv'), 'utf8')).toMatch(
      /^label,score,scores.bad,scores.good,error\n.*,\n,,,,"?[^,].*'text'/,
    )
  })

  it('refuses other endings before it predicts', async () => {
    const { mistake } = await heed('predict', at('labels'), at('rows.jsonl'), '--out', at('a.xlsx'))
    expect(mistake).toMatch(/--out.*\.csv, \.tsv or \.jsonl/)
  })
})

describe('heed generate --json-schema', () => {
  const schema = '{"enum": ["the whale", "the ship"]}'
  const generate = async (given: string) => {
    const chunks: string[] = []
    const write = process.stdout.write.bind(process.stdout)
    process.stdout.write = ((chunk: string) => chunks.push(String(chunk)) > 0) as never
    try {
      const { mistake } = await heed(
        'generate',
        at('text'),
        '--prompt',
        'the',
        '--json-schema',
        given,
        '--tokens',
        '20',
      )
      return { text: chunks.join(''), mistake }
    } finally {
      process.stdout.write = write
    }
  }

  it('takes JSON or a file', async () => {
    writeFileSync(at('schema.json'), schema)
    for (const given of [schema, at('schema.json')])
      expect((await generate(given)).text.trim()).toMatch(/^"the (whale|ship)"$/)
  })

  it('reports JSON that is not valid, and a file that is missing', async () => {
    expect((await generate('{"enum": [')).mistake).toMatch(/--json-schema .*JSON/)
    expect((await generate(at('gone.json'))).mistake).toMatch(/gone\.json/)
  })
})
