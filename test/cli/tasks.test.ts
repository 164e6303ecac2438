// The commands that do a task with a model, on the tiny models of test/fixtures/pipelines.
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heed } from './in-process.ts'

const folder = (name: string): string => join(FIXTURES, 'pipelines', name)
const expected = JSON.parse(readFileSync(folder('expected.json'), 'utf8'))

describe('heed fill', () => {
  it('lists guesses for each mask', async () => {
    const [text] = expected.masked
    const { out } = await heed('fill', folder('masked-lm'), text, '--top', '2')
    expect(out).toMatch(/█████░░░░░ 0\.5292 {2}.*o.*the captain of a o\.\n.* 0\.1427 {2}.*of/)
    const two = await heed('fill', folder('masked-lm'), '[MASK] of [MASK]')
    expect(two.out).toMatch(/mask 1[\s\S]*mask 2/)
    const json = await heed('fill', folder('masked-lm'), text, '--json')
    expect(JSON.parse(json.out)).toHaveLength(5)
    expect((await heed('fill', folder('masked-lm'), 'whale')).mistake).toMatch(/\[MASK\]/)
  })
})

describe('heed classify', () => {
  it('labels texts, or the names in them', async () => {
    const { out } = await heed('classify', folder('sequence'), ...expected.texts.slice(0, 2))
    expect(out).toMatch(/Call me[\s\S]*0\.6806 {2}.*good[\s\S]*0\.2942 {2}.*bad[\s\S]*0\.9243/)
    const json = await heed('classify', folder('token'), expected.texts[1], '--json')
    const words = JSON.parse(json.out)[0].map(({ word }: { word: string }) => word)
    expect(words).toEqual(expected.tag.first[1].map(({ word }: { word: string }) => word))
    const names = await heed('classify', folder('token'), expected.texts[1])
    expect(names.out).toMatch(/(PER|LOC)/)
    expect((await heed('classify', folder('encoder'), 'x')).mistake).toMatch(
      /text-classification.*classifier/,
    )
  })
})

describe('heed answer', () => {
  it('finds answers in a text or a file', async () => {
    const [question, context] = expected.questions[0]
    const path = join(await temporaryFolder(), 'text.txt')
    await writeFile(path, context)
    for (const source of [
      ['--context', context],
      ['--file', path],
    ]) {
      const json = await heed(
        'answer',
        folder('question'),
        question,
        ...source,
        '--json',
        '--top',
        '2',
      )
      const places = JSON.parse(json.out).map(({ start }: { start: number }) => start)
      expect(places).toEqual(
        expected.answers[0].slice(0, 2).map(({ start }: { start: number }) => start),
      )
    }
    const { out } = await heed('answer', folder('question'), question, '--context', context)
    expect(out).toContain(expected.answers[0][0].answer)
    expect((await heed('answer', folder('question'), question)).mistake).toMatch(/--context TEXT/)
    const none = await heed('answer', folder('question'), question, '--file', `${path}.none`)
    expect(none.mistake).toMatch(/\.none\b/)
  })
})

describe('heed embed', () => {
  it('prints vectors, or what is nearest', async () => {
    const texts: string[] = expected.texts
    const { out } = await heed('embed', folder('encoder'), ...texts)
    const lines = out.split('\n').map((line) => JSON.parse(line))
    expect(lines.map(({ text }) => text)).toEqual(texts)
    lines.forEach(({ vector }, i) => {
      vector.forEach((x: number, j: number) => {
        expect(x).toBeCloseTo(expected.features.mean[i][j], 4)
      })
    })
    const near = await heed('embed', folder('encoder'), ...texts, '--query', texts[3])
    expect(near.out.split('\n')[0]).toMatch(/1\.0000 {2}Who saw the whale in Nantucket\?$/)
    const path = join(await temporaryFolder(), 'texts.txt')
    await writeFile(path, `${texts[0]}\r\n\n${texts[1]}\n`)
    const file = await heed('embed', folder('encoder'), '--file', path)
    expect(file.out.split('\n')).toHaveLength(2)
    expect((await heed('embed', folder('encoder'))).mistake).toMatch(/got none/)
  })
})
