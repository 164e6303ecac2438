import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { loader } from '../support/run-script.ts'

const main = fileURLToPath(new URL('../support/heed-main.ts', import.meta.url))
const fixture = new URL('../fixtures/tokenizers/bert.json', import.meta.url)
const { tokenizer: json } = JSON.parse(readFileSync(fixture, 'utf8'))
const bert = Tokenizer.fromJSON(json)
const text = 'The\twhale, naïve.'
const folder = mkdtempSync(join(tmpdir(), 'heed-tokenize-'))
const file = join(folder, 'tokenizer.json')
writeFileSync(file, JSON.stringify(json))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function tokenize(args: string[], input = '', env: Record<string, string> = { NO_COLOR: '1' }) {
  const { FORCE_COLOR: _, NO_COLOR: __, ...rest } = process.env
  const command = [...loader, main, 'tokenize', file, ...args]
  const ended = spawnSync(process.execPath, command, { input, env: { ...rest, ...env } })
  return { code: ended.status, out: String(ended.stdout), err: String(ended.stderr) }
}

describe('heed tokenize', () => {
  it('shows pieces, ids and their number', () => {
    const [pieces, ids, count] = tokenize([text]).out.split('\n')
    expect(pieces.replaceAll('|', '')).toBe('[CLS]Thewhale,naïve.[SEP]')
    expect(ids.split(' ').map(Number)).toEqual(bert.encode(text))
    expect(count).toBe(`${bert.encode(text).length} tokens`)
  })

  it('tells neighbours by colour', () => {
    const { out } = tokenize(['a b', '--no-special'], '', { FORCE_COLOR: '1' })
    expect(out).toContain('\u001b[44ma\u001b[49m\u001b[45mb\u001b[49m')
  })

  it('lists places, or writes JSON', () => {
    const { offsets, ids } = bert.encodeWithOffsets(text, { addSpecialTokens: false })
    const lines = tokenize([text, '--no-special', '--offsets']).out.trimEnd().split('\n')
    expect(lines.map((line) => line.trim().split(/\s+/).slice(0, 2))).toEqual(
      ids.map((id, i) => [offsets[i].join('-'), String(id)]),
    )
    const { out } = tokenize([text, '--pair', 'a b', '--json'])
    expect(JSON.parse(out)).toEqual(bert.encodeWithOffsets(text, { pair: 'a b' }))
  })

  it('counts what comes through standard input', () => {
    expect(tokenize(['--count'], text).out).toBe(`${bert.encode(text).length}\n`)
    expect(tokenize(['-', '--count', '--no-special'], 'a b').out).toBe('2\n')
  })

  it('lets no control character reach the terminal', () => {
    const { out } = tokenize(['[CLS]\u001b[2J', '--offsets'], '')
    expect(out).not.toContain('\u001b')
  })

  it('says what is wrong with a file', () => {
    const command = [...loader, main, 'tokenize', '/nowhere/tokenizer.json', 'x']
    const ended = spawnSync(process.execPath, command)
    expect(ended.status).toBe(2)
    expect(String(ended.stderr)).toContain('/nowhere/tokenizer.json')
  })
})
