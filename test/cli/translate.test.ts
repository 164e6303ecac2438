import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pipeline } from '../../src/pipelines/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { loader } from '../support/run-script.ts'

const main = fileURLToPath(new URL('../support/heed-main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'heed-translate-'))
const config = { num_beams: 3, max_length: 9, eos_token_id: 1, forced_eos_token_id: 1 }

function heed(args: string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...loader, main, ...args], {
    input,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { code: status, out: stdout, err: stderr }
}

beforeAll(() => {
  for (const part of ['shared', 'tokenizer'])
    cpSync(join(FIXTURES, 'marian', part), folder, { recursive: true })
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(config))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const TEXTS = ['the cat sat', 'a rat', 'nine nets and ten tins .', 'the sea']

describe('translation', () => {
  it('gives a text for each, as its own, whatever stands beside it', async () => {
    const translate = await pipeline('translation', folder)
    const all = await translate(TEXTS, { batchSize: 3 })
    for (const [i, text] of TEXTS.entries()) expect(await translate(text)).toEqual([all[i]])
    const greedy = await translate(TEXTS, { beams: 1, maxTokens: 3 })
    expect(greedy).not.toEqual(all)
    const write = await pipeline('text2text-generation', folder)
    expect((await write('a rat')).map(({ generated_text: text }) => text)).toEqual([
      all[1].translation_text,
    ])
    const sum = await pipeline('summarization', folder)
    expect(await sum('a rat')).toEqual([{ summary_text: all[1].translation_text }])
    await expect(translate('the '.repeat(50))).rejects.toThrow(
      heedError('invalid-option', { mentions: '1 to 40' }),
    )
    await expect(pipeline('fill-mask', folder)).rejects.toThrow(
      heedError('unsupported', {
        key: 'head',
        value: 'masked-lm',
        mentions: 'seq2seq-lm, causal-lm',
      }),
    )
  })

  it('is done line by line by heed translate, in order, empty lines kept', async () => {
    const translate = await pipeline('translation', folder)
    const wanted = (await translate(TEXTS)).map(({ translation_text: text }) => text)
    const { out, err, code } = heed(['translate', folder, ...TEXTS])
    expect([out, err, code]).toEqual([`${wanted.join('\n')}\n`, '', 0])
    const lines = heed(['translate', folder, '--batch', '2'], `${TEXTS[0]}\n\n${TEXTS[1]}\r\n`)
    expect(lines.out).toBe(`${wanted[0]}\n\n${wanted[1]}\n`)
    const short = heed(['translate', folder, '--tokens', '2', '--to', 'fra', TEXTS[0]])
    expect(short.code).toBe(0)
    expect(short.out).not.toBe(`${wanted[0]}\n`)
    const wrong = heed(['translate', folder, '--to', '>>x', 'a'])
    expect(wrong.err).toMatch(/--to .*'?>>x/)
    expect(wrong.code).toBe(2)
  })

  it('is written by heed generate too', () => {
    const options = ['--prompt', 'a rat', '--tokens', '8', '--temperature', '0']
    const one = heed(['generate', folder, ...options])
    expect(one.err).toBe('')
    expect(one.out.trim().length).toBeGreaterThan(0)
    expect(heed(['generate', folder, ...options]).out).toBe(one.out)
    expect(heed(['generate', folder, ...options, '--lookup']).err).toMatch(/--lookup/)
  })
})
