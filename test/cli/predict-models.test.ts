// heed predict on model folders that no run has written: the same results as the short forms.
import { readFileSync } from 'node:fs'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { hasLinks } from '../support/links.ts'
import { heed } from './in-process.ts'

const folder = (name: string): string => join(FIXTURES, 'pipelines', name)
const expected = JSON.parse(readFileSync(folder('expected.json'), 'utf8'))
const [text]: string[] = expected.texts

async function predicted(...words: string[]): Promise<Record<string, unknown>[]> {
  const { out, mistake } = await heed('predict', ...words)
  expect(mistake ?? '').toBe('')
  return out.split('\n').map((line) => JSON.parse(line))
}

const shortForm = async (...words: string[]) => JSON.parse((await heed(...words)).out)

it('fills masks', async () => {
  const [masked] = expected.masked
  const [{ text: filled, tokens }] = await predicted(folder('masked-lm'), '--text', masked)
  const [{ sequence, token_str }] = await shortForm('fill', folder('masked-lm'), masked, '--json')
  expect([filled, tokens]).toEqual([sequence, [token_str]])
})

it('classifies texts', async () => {
  const [{ label, score, scores }] = await predicted(folder('sequence'), '--text', text)
  const [labels] = await shortForm('classify', folder('sequence'), text, '--json')
  expect({ label, score }).toEqual(labels[0])
  expect(Object.keys(scores as object)).toHaveLength(expected.classify[0].length)
})

it('labels words', async () => {
  const [{ tokens, tags }] = await predicted(folder('token'), '--text', expected.texts[1])
  expect(tokens).toHaveLength((tags as string[]).length)
  const [entities] = await shortForm('classify', folder('token'), expected.texts[1], '--json')
  const types = new Set((tags as string[]).map((tag) => tag.replace(/^[BI]-/, '')))
  for (const { entity_group } of entities) expect(types).toContain(entity_group)
})

it('answers questions', async () => {
  const [question, context] = expected.questions[0]
  const answer = await shortForm('answer', folder('question'), question, '--context', context, '--json') // biome-ignore format: one line
  const row = JSON.stringify({ question, context })
  const path = join(await temporaryFolder(), 'questions.jsonl')
  await writeFile(path, `${row}\n`)
  expect(await predicted(folder('question'), path)).toEqual([answer])
})

it('embeds texts', async () => {
  const [{ embedding }] = await predicted(folder('encoder'), '--text', text)
  const { vector } = await shortForm('embed', folder('encoder'), text)
  expect(embedding).toEqual(vector)
})

it('refuses a task that the model was not trained for, and options that a task lacks', async () => {
  const mistake = async (...words: string[]) => (await heed('predict', ...words)).mistake
  const model = ['--text', text, '--task']
  expect(await mistake(folder('encoder'), ...model, 'text-classification')).toMatch(/text-classification.*classifier/) // biome-ignore format: one line
  expect(await mistake(folder('sequence'), ...model, 'text-clasification')).toMatch(/\btext-classification\?/) // biome-ignore format: one line
  expect(await mistake(folder('sequence'), '--text', text, '--set', 'textColum=x')).toMatch(/textColumn/) // biome-ignore format: one line
})

it('does not write over its data, by any name, and takes texts or files', async () => {
  const at = await temporaryFolder()
  const [data, link] = [join(at, 'data.csv'), join(at, 'link.csv')]
  const rows = `text\n${text}\n`
  await writeFile(data, rows)
  if (hasLinks) await symlink(data, link)
  const mistake = async (...words: string[]) =>
    (await heed('predict', folder('sequence'), ...words)).mistake
  for (const [from, to] of [[data, data], ...(hasLinks ? [[data, link], [link, data]] : []), [join(at, '*.csv'), data], [at, data]]) // biome-ignore format: one line
    expect(await mistake(from, '--out', to)).toMatch(/--out .*, got .*\.csv/) // biome-ignore format: one line
  expect(readFileSync(data, 'utf8')).toBe(rows)
  expect(await mistake(data, '--out', join(at, 'other.csv'))).toBe('')
  expect(await mistake(data, '--text', text)).toMatch(/--text and files/)
})

it('leaves a text without masks as it is', async () => {
  const [{ text: same, tokens }] = await predicted(folder('masked-lm'), '--text', 'Nothing hidden')
  expect([same, tokens]).toEqual(['Nothing hidden', []])
})
