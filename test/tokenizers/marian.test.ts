import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readJsonObject } from '../../src/io/files/json.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'

const folder = join(FIXTURES, 'marian', 'tokenizer')
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'heed-marian-'))
})
afterAll(() => rm(scratch, { recursive: true }))

it("encodes and decodes as Python's MarianTokenizer, source and target", async () => {
  const told = await readJsonObject(join(folder, 'expected.json'))
  const source = await Tokenizer.fromFile(folder)
  const target = await Tokenizer.fromFile(folder, { asTarget: true })
  expect([source.eosTokenId, source.unkTokenId, source.padTokenId]).toEqual([1, 0, 2])
  const cases = told.cases as { text: string; ids: number[]; target: number[]; decoded: string }[]
  for (const { text, ids, target: wanted, decoded } of cases) {
    expect(source.encode(text), text).toEqual(ids)
    expect(target.encode(text), text).toEqual(wanted)
    expect(target.decode(wanted, { skipSpecialTokens: true })).toBe(decoded)
  }
})

it('reads a vocabulary of its own for the target, and says what is wrong with one', async () => {
  const dir = join(scratch, 'separate')
  await cp(folder, dir, { recursive: true })
  await writeFile(join(dir, 'tokenizer_config.json'), '{"separate_vocabs": true}')
  const vocab = JSON.parse(await readFile(join(dir, 'vocab.json'), 'utf8'))
  const turned = Object.keys(vocab).map((token, id, all) => [token, (id + 7) % all.length])
  await writeFile(join(dir, 'target_vocab.json'), JSON.stringify(Object.fromEntries(turned)))
  const target = await Tokenizer.fromFile(dir, { asTarget: true })
  const plain = await Tokenizer.fromFile(folder, { asTarget: true })
  expect(target.encode('the cat')).toEqual(
    plain.encode('the cat').map((id) => (id + 7) % turned.length),
  )
  await writeFile(join(dir, 'vocab.json'), '{"<unk>": 0, "</s>": 2}')
  await expect(Tokenizer.fromFile(dir)).rejects.toThrow(
    heedError('corrupt-file', { key: '</s>', value: 2, mentions: '0 to 1' }),
  )
  await writeFile(join(dir, 'vocab.json'), '{}')
  await expect(Tokenizer.fromFile(dir)).rejects.toThrow(
    heedError('corrupt-file', { mentions: 'no tokens' }),
  )
})
