// The page of a run, the comparison of runs, and both as JSON.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { heed } from '../cli/in-process.ts'
import { scratch, trainTiny, writeRows } from '../train/support.ts'
import { all, classed, type Element, named, parse, rowsOf, textOf } from './parse.ts'
import { HOSTILE, LABELS, longLog, trainClassifier, trainWriter, withMetrics } from './runs.ts'

const at = scratch()
let [labels, text] = ['', '']

beforeAll(async () => {
  labels = await trainClassifier(at)
  text = await trainWriter(at)
})

/** Reports runs and parses the page. */
async function reported(...words: string[]): Promise<Element> {
  const { out, mistake } = await heed('report', ...words)
  expect(mistake).toBe('')
  return parse(readFileSync(out, 'utf8'))
}

const section = (page: Element, id: string): Element =>
  named(page, 'section').find(({ attributes }) => attributes.id === id) ?? { name: '', attributes: {}, children: [] } // biome-ignore format: one line

const titles = (page: Element): string[] => named(page, 'h3').map(textOf)

/** The data of the charts. */
const chartData = (page: Element) =>
  JSON.parse(String(all(page, ({ attributes }) => attributes.id === 'charts')[0].children[0]))

/** The metrics on a page by name. */
const metricsOn = (page: Element): Record<string, number> =>
  Object.fromEntries(
    classed(page, 'metrics')
      .flatMap((list) => named(list, 'div'))
      .map((item) => [textOf(named(item, 'dt')[0]), Number(textOf(named(item, 'dd')[0]))]),
  )

describe('the page of a classifier', () => {
  let page: Element
  beforeAll(async () => {
    page = await reported(labels)
  })

  it('allows its own script and style, by their hashes, and nothing else', () => {
    const policy = named(page, 'meta').find((meta) => meta.attributes['http-equiv'])?.attributes.content // biome-ignore format: one line
    const hash = ([{ children }]: Element[]) =>
      `'sha256-${createHash('sha256').update(String(children[0])).digest('base64')}'`
    const scripts = named(page, 'script').filter(({ attributes }) => attributes.type === 'module')
    expect(scripts).toHaveLength(1)
    expect(policy).toBe(
      `default-src 'none'; img-src data:; script-src ${hash(scripts)}; style-src ${hash(named(page, 'style'))}; base-uri 'none'; form-action 'none'`,
    )
    const urls = all(page, () => true).flatMap(({ attributes }) => [attributes.src, attributes.href].filter(Boolean)) // biome-ignore format: one line
    for (const url of urls) expect(url).toMatch(/^(data:image\/png;base64,|#)/)
    const handlers = all(page, ({ attributes }) => Object.keys(attributes).some((key) => /^on|^style$/.test(key))) // biome-ignore format: one line
    expect(handlers).toEqual([])
  })

  it('shows hostile texts and labels as text', () => {
    const shown = textOf(section(page, 'examples'))
    expect(shown).toContain(HOSTILE)
    expect(shown).toContain('left [U+202E]right[U+202C] [U+0007]')
    for (const hidden of ['\u202e', '\u202c', '\u0007']) expect(shown).not.toContain(hidden)
    expect(rowsOf(classed(page, 'confusion')[0])[0]).toEqual(['', ...LABELS.toSorted()])
    expect(named(page, 'b')).toEqual([])
    expect(classed(page, 'picture')).toEqual([])
  })

  it('has what was held out, its metrics, and the worst examples first', async () => {
    expect(textOf(section(page, 'results'))).toContain('On 30 held-out examples (50 % of')
    const { runs: [{ evaluation }] } = JSON.parse((await heed('report', labels, '--json')).out) // biome-ignore format: one line
    const shown = metricsOn(page)
    for (const key of ['loss', 'accuracy', 'f1']) expect(shown[key]).toBeCloseTo(evaluation.metrics[key], 3) // biome-ignore format: one line
    const examples = named(classed(page, 'examples')[0], 'li')
    expect(examples).toHaveLength(16)
    const probabilities = examples.map((example) => {
      const [label] = classed(example, 'answer').map((answer) => textOf(named(answer, 'bdi')[0])) // expected, or right
      const scores = named(example, 'dl').flatMap((list) => named(list, 'div'))
      const [score] = scores.filter((item) => textOf(named(item, 'dt')[0]) === label)
      return Number(textOf(named(score, 'dd')[0]))
    })
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => a - b))
    expect(probabilities[0]).toBeLessThan(probabilities[15])
  })

  it('has curves of losses, metrics, norm, speed, memory and learning rate', () => {
    expect(titles(section(page, 'curves'))).toEqual(['Loss', 'Held-out accuracy', 'Held-out f1', 'Gradient norm', 'Rows per second', 'Memory of the process in MB', 'Learning rate']) // biome-ignore format: one line
    const [{ lines }, { lines: [accuracy] }] = chartData(page) // biome-ignore format: one line
    expect(lines.map(({ name }: { name: string }) => name)).toEqual(['training', 'held-out'])
    expect(lines[0].points).toHaveLength(12)
    expect(accuracy.points.map(([step]: number[]) => step)).toEqual([4, 8, 12])
    for (const [, value] of accuracy.points) expect(value).toBeGreaterThanOrEqual(0)
    // static pictures, drawn twice for wide and narrow pages
    expect(named(classed(page, 'large')[0], 'svg').filter(({ attributes }) => attributes.viewBox)).toHaveLength(2) // biome-ignore format: one line
  })

  it('has the settings that differ from the defaults first, by flag', () => {
    const [changed, every] = named(section(page, 'settings'), 'table').map(rowsOf)
    const row = (rows: string[][], flag: string) => rows.find(([name]) => name === flag)
    expect(row(changed, '--eval-every')).toEqual(['--eval-every', '4', '100'])
    expect(row(changed, 'MODEL')).toEqual(['MODEL', 'bert', 'gpt2'])
    expect(row(changed, '--weight-decay')).toBeUndefined()
    expect(row(every, '--weight-decay')).toEqual(['--weight-decay', '0.01', '0.01'])
    expect(row(every, '--tokenizer')).toEqual(['--tokenizer', 'char', '–'])
  })

  it('has single heads of several examples, with the names of their layers in words', () => {
    const groups = classed(page, 'attention')
    expect(groups.length).toBeGreaterThan(0)
    const names = classed(groups[0], 'head').map(({ attributes }) => attributes.title)
    expect(names).toEqual(['layer 1, mean of 2 heads', 'layer 1, head 1', 'layer 1, head 2', 'layer 2, mean of 2 heads', 'layer 2, head 1', 'layer 2, head 2']) // biome-ignore format: one line
    expect(textOf(classed(groups[0], 'view')[0])).toMatch(/layer 2, mean of 2 heads$/)
    expect(classed(groups[0], 'head')[3].attributes['aria-pressed']).toBe('true')
  })
})

describe('the page of a language model', () => {
  it('has samples and the loss of each chunk and token', async () => {
    const page = await reported(text)
    const json = JSON.parse((await heed('report', text, '--json')).out)
    const { evaluation } = json.runs[0]
    expect(metricsOn(page).perplexity).toBeCloseTo(Math.exp(evaluation.metrics.loss), 2)
    const chunks = named(section(page, 'examples'), 'li')
    const losses = evaluation.examples.map(
      ({ scores }: { scores: { loss: number } }) => scores.loss,
    )
    expect(losses).toEqual(losses.toSorted((a: number, b: number) => b - a))
    expect(chunks).toHaveLength(losses.length)
    const tokens = classed(chunks[0], 'token').map(({ attributes }) => Number(/loss (.*)/.exec(attributes.title)?.[1])) // biome-ignore format: one line
    expect(tokens.reduce((a, b) => a + b, 0) / tokens.length).toBeCloseTo(losses[0], 2)
    expect(textOf(chunks[0])).toMatch(/whale|ship|sea/)
    expect(textOf(section(page, 'samples'))).toMatch(/in the data.*by the model/)
    expect(textOf(page)).not.toMatch(/\b(right|wrong)\b/)
  })
})

describe('the page of a run that started from a model', () => {
  it('has what the model wrote before', async () => {
    const [base, data] = [at('base'), [at('more.txt')]]
    await trainWriter(at, 'base')
    writeFileSync(data[0], 'a ship, a whale and a sea. '.repeat(60))
    await trainTiny(at('further'), { model: 'gpt2', from: base, data, steps: 4, lr: 4e-3, evalEvery: 0, valFraction: 0.3 }) // biome-ignore format: one line
    const samples = async () => textOf(section(await reported(at('further')), 'samples'))
    expect(await samples()).toMatch(/in the data.*before this run.*by the model/)
    rmSync(base, { recursive: true })
    expect(await samples()).toMatch(/before this run.*not known: .*base/)
  })
})

describe('heed report --json', () => {
  it('has the documented keys', async () => {
    const { runs, differences } = JSON.parse(
      (await heed('report', labels, '--json', '--limit', '7')).out,
    )
    expect(differences).toEqual({})
    expect(runs).toHaveLength(1)
    const [run] = runs
    expect(Object.keys(run)).toEqual(['run', 'task', 'model', 'parameters', 'step', 'best', 'computedOn', 'evaluation', 'withoutEvaluation', 'log', 'curves', 'settings', 'changed']) // biome-ignore format: one line
    expect(run).toMatchObject({ run: labels, task: 'text-classification', model: 'BertForSequenceClassification', step: 12, withoutEvaluation: null, log: { lines: 15, skipped: 0 } }) // biome-ignore format: one line
    expect(run.evaluation.count).toBe(7)
    expect(run.changed).toContain('evalEvery')
    expect(run.settings.evalEvery).toBe(4)
    expect(run.curves.val_loss.map(([step]: number[]) => step)).toEqual([4, 8, 12])
    expect(existsSync(join(at('none'), 'report.html'))).toBe(false)
  })
})

describe('several runs', () => {
  it('of different tasks and lengths are compared', async () => {
    const out = at('comparison.html')
    const page = await reported(labels, text, '--out', out)
    const [results, settings] = named(page, 'table').map(rowsOf)
    expect(results[0]).toEqual(['', 'labels', 'text'])
    const row = (rows: string[][], name: string) => rows.find(([first]) => first === name)
    expect(row(results, 'accuracy')).toEqual(['accuracy', expect.stringMatching(/^0\.\d{4}$|^1\.0000$/), '–']) // biome-ignore format: one line
    expect(row(results, 'perplexity')).toEqual(['perplexity', '–', expect.stringMatching(/^\d+\.\d+$/)]) // biome-ignore format: one line
    expect(row(results, 'task')).toEqual(['task', 'text-classification', 'text-generation'])
    expect(textOf(section(page, 'results'))).toContain('not comparable')
    expect(row(settings, '--steps')).toEqual(['--steps', '12', '10'])
    expect(row(settings, '--seed')).toBeUndefined()
    const [training, heldOut] = chartData(page)
    for (const { lines } of [training, heldOut]) expect(lines.map(({ name }: { name: string }) => name)).toEqual(['labels', 'text']) // biome-ignore format: one line
    expect(new Set(training.lines.map(({ color }: { color: number }) => color)).size).toBe(2)
    const { runs, differences } = JSON.parse((await heed('report', labels, text, '--json')).out)
    expect(runs.map(({ run }: { run: string }) => run)).toEqual([labels, text])
    expect(differences.steps).toEqual([12, 10])
    expect(differences.seed).toBeUndefined()
    expect(differences.textColumn).toBeUndefined() // both have it
  })

  it('of equal names are distinguished by their folders', async () => {
    mkdirSync(at('other'))
    await withMetrics(labels, at('other/labels'), '')
    const page = await reported(labels, at('other/labels'), '--out', at('equal.html'))
    expect(new Set(rowsOf(named(page, 'table')[0])[0]).size).toBe(3)
    expect(textOf(section(page, 'settings'))).toContain('All settings are equal')
  })
})

describe('a damaged or unusual run', () => {
  it.each([
    ['one line', '{"step":1,"loss":2}\n', /1 of/],
    ['no line', '', /Nothing was logged/],
    ['a truncated last line', '{"step":1,"loss":2}\n{"step":2,"lo', /1 of 2 lines of metrics\.jsonl are incomplete/], // biome-ignore format: one line
    ['NaN and infinity', '{"step":1,"loss":2}\n{"step":2,"loss":NaN}\n{"step":3,"loss":-Infinity}\n', /Loss/], // biome-ignore format: one line
    ['hostile keys', `{"step":1,"loss":2,"__proto__":1,"constructor":2,${JSON.stringify(HOSTILE)}:3}\n`, /alert\(2\)/], // biome-ignore format: one line
  ])('with %s in metrics.jsonl is reported', async (name, metrics, expected) => {
    const run = await withMetrics(text, at(name), metrics)
    const page = await reported(run, '--limit', '1')
    if (name !== 'one line') expect(textOf(page)).toMatch(expected)
    expect(titles(page).includes('Loss')).toBe(metrics !== '')
    expect(named(page, 'script')).toHaveLength(metrics === '' ? 1 : 2)
  })

  it('with 100,000 steps makes a page of less than 2 MB that has the extremes', async () => {
    const run = await withMetrics(text, at('long'), longLog())
    const started = performance.now()
    const page = await reported(run)
    expect(performance.now() - started).toBeLessThan(30_000) // a few seconds on a machine without other work
    expect(statSync(join(run, 'report.html')).size).toBeLessThan(2e6)
    const [{ lines: [loss] }] = chartData(page) // biome-ignore format: one line
    expect(loss.points).toContainEqual([43_210, 77.5])
    expect(loss.points.length).toBeLessThanOrEqual(1000)
    expect(loss.points.at(-1)[0]).toBe(100_000)
    expect(textOf(section(page, 'curves'))).toContain('101,000 lines were logged')
  })

  it('without held-out data says so, and is reported', async () => {
    const data = [writeRows(at('few.jsonl'), [0, 1, 2, 3].map((i) => ({ text: `a ${i}`, label: `${i % 2}` })))] // biome-ignore format: one line
    const keys = { model: 'bert', task: 'text-classification', data, tokenizer: 'char', steps: 2, valFraction: 0 } // biome-ignore format: one line
    await trainTiny(at('all'), keys)
    const page = await reported(at('all'))
    expect(textOf(section(page, 'results'))).toMatch(/^Results ?No evaluation\. The run .* has no held-out data\. Set --data/) // biome-ignore format: one line
    expect(titles(section(page, 'curves'))).toContain('Loss')
    const [run] = JSON.parse((await heed('report', at('all'), '--json')).out).runs
    expect(run.evaluation).toBeNull()
    expect(run.withoutEvaluation).toContain('has no held-out data')
  })

  it('that has not saved weights yet is reported', async () => {
    const run = await withMetrics(text, at('young'), '{"step":1,"loss":2}\n')
    for (const name of ['model.safetensors', 'checkpoints'])
      rmSync(join(run, name), { recursive: true })
    const page = await reported(run)
    expect(textOf(section(page, 'results'))).toContain('No weights have been saved yet')
    expect(textOf(page)).toContain('no checkpoint')
  })

  it('that is none is refused', async () => {
    mkdirSync(at('empty'))
    writeFileSync(at('file'), '')
    for (const name of ['empty', 'missing', 'file']) {
      const { mistake, code } = await heed('report', at(name))
      expect(mistake).toContain(at(name))
      expect(code).toBe(2)
    }
    expect((await heed('report', labels, at('empty'))).mistake).toContain(at('empty'))
    expect(existsSync(at('empty/report.html'))).toBe(false)
  })
})

describe('--out', () => {
  it('replaces a report, also of an older version, and no other file', async () => {
    const out = at('page.html')
    await reported(text, '--out', out, '--limit', '1')
    await reported(text, '--out', out, '--limit', '1')
    const old = '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; style-src \'unsafe-inline\'">\n<title>x' // biome-ignore format: one line
    writeFileSync(out, old)
    await reported(text, '--out', out, '--limit', '1')
    for (const other of [
      '',
      'notes',
      '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    ]) {
      writeFileSync(out, other)
      const { mistake, code } = await heed('report', text, '--out', out)
      expect(mistake).toMatch(/--out .*page\.html/)
      expect(code).toBe(2)
      expect(readFileSync(out, 'utf8')).toBe(other)
    }
    expect((await heed('report', text, labels, '--out', out)).mistake).toMatch(/--out .*page\.html/)
    expect((await heed('report', text, '--out', at('labels'))).mistake).toMatch(/labels/)
  })
})
