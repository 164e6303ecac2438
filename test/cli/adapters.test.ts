// --adapter and --base: every command that opens a model for predictions attaches adapters, and finds a base that has moved.
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { addAdapter, loadAdapters } from '../../src/adapt/index.ts'
import { manualSeed } from '../../src/index.ts'
import { fromPretrained, type Head, SentenceEncoder } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { type PipelineTask, pipeline } from '../../src/pipelines/index.ts'
import { randn } from '../../src/tensor/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { heed } from './in-process.ts'

const scratch = mkdtempSync(join(tmpdir(), 'heed-adapters-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const at = (...names: string[]): string => join(scratch, ...names)
const fixture = (name: string): string => join(FIXTURES, 'pipelines', name)

const TEXT = 'The cat sat on the mat'
const CASES = [
  { name: 'fill', folder: fixture('masked-lm'), head: 'masked-lm', words: ['The [MASK] of a dog', '--json'] },
  { name: 'classify', folder: fixture('sequence'), head: 'sequence-classification', words: [TEXT, '--json'] },
  { name: 'classify', folder: fixture('token'), head: 'token-classification', words: [TEXT, '--json'] },
  { name: 'answer', folder: fixture('question'), head: 'question-answering', words: ['Who sat?', '--context', TEXT, '--json'] },
  { name: 'embed', folder: fixture('encoder'), head: 'encoder', words: [TEXT] },
  { name: 'translate', folder: at('marian'), head: 'seq2seq-lm', words: ['the cat sat', '--tokens', '8'] },
  { name: 'predict', folder: fixture('sequence'), head: 'sequence-classification', words: ['--text', TEXT] },
] as const satisfies readonly { name: string; folder: string; head: Head; words: readonly string[] }[] // biome-ignore format: a table

/** Saves an adapter with random weights for a model folder. */
async function adapterOf(folder: string, head: Head, dir: string): Promise<string> {
  manualSeed(1)
  const model: Module = await fromPretrained(folder, head)
  const adapter = addAdapter(model, 'lora:r=4,targets=all-linear')
  for (const parameter of adapter.parameters()) parameter.assign(randn(parameter.shape).mul(0.3))
  await adapter.save(dir, { base: folder })
  return dir
}

beforeAll(() => {
  for (const part of ['shared', 'tokenizer'])
    cpSync(join(FIXTURES, 'marian', part), at('marian'), { recursive: true })
})

async function printed(...words: string[]): Promise<string> {
  let written = ''
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text)
    return true
  })
  const { out, mistake } = await heed(...words).finally(() => spy.mockRestore())
  expect(mistake.replace(/warning.*/s, '')).toBe('')
  return out + written
}

describe.each(CASES)('heed $name, $head', ({ name, folder, head, words }) => {
  it('attaches adapters with their factors', async () => {
    const dir = await adapterOf(folder, head, at(`${name}-${head}`))
    const [input, ...flags] = words
    const predict = (...more: string[]) => printed(name, folder, input, ...flags, ...more)
    const plain = await predict()
    expect(await predict('--adapter', dir)).not.toBe(plain)
    expect(await predict('--adapter', `${dir}:0`)).toBe(plain)
  })

  it('refuses a base for a model that is no adapter', async () => {
    const { mistake } = await heed(name, folder, ...words, '--base', folder)
    expect(mistake).toContain('--base')
  })
})

describe('pipeline', () => {
  const folder = fixture('sequence')
  const task = 'text-classification'

  it('attaches adapters of a list or with factors, as loadAdapters does', async () => {
    const dir = await adapterOf(folder, 'sequence-classification', at('list'))
    const model = await fromPretrained(folder, 'sequence-classification')
    await loadAdapters(model, [dir])
    const tokenizer = await Tokenizer.fromFile(folder)
    const expected = await (await pipeline(task, { model, tokenizer }))(TEXT)
    expect(await (await pipeline(task, folder, { adapters: [dir] }))(TEXT)).toEqual(expected)
    const half = await pipeline(task, folder, { adapters: { [dir]: 0.5 } })
    expect(await half(TEXT)).not.toEqual(expected)
  })

  it('opens the folder of an adapter, also after its base has moved', async () => {
    cpSync(folder, at('before'), { recursive: true })
    const dir = await adapterOf(at('before'), 'sequence-classification', at('moved'))
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
      cpSync(join(folder, name), join(dir, name))
    const expected = await (await pipeline(task, dir))(TEXT)
    renameSync(at('before'), at('after'))
    await expect(pipeline(task, dir)).rejects.toThrow(heedError('missing-file', { key: 'base' }))
    expect(await (await pipeline(task, dir, { base: at('after') }))(TEXT)).toEqual(expected)
    const words = [dir, TEXT, '--json']
    expect(await printed('classify', ...words, '--base', at('after'))).toContain(expected[0].label)
  })

  it('refuses adapters of a given model, and what is no adapter', async () => {
    const model = await fromPretrained(folder, 'sequence-classification')
    const source = { model, tokenizer: await Tokenizer.fromFile(folder) }
    const refused = (options: object) => expect(pipeline(task as PipelineTask, source, options)).rejects // biome-ignore format: one line
    await refused({ adapters: ['x'] }).toThrow(heedError('invalid-option', { key: 'adapters' }))
    await refused({ base: 'x' }).toThrow(heedError('invalid-option', { key: 'base' }))
    const dir = at('list')
    await expect(pipeline(task, folder, { adapters: [dir, dir] })).rejects.toThrow(
      heedError('invalid-option', { key: 'adapters', value: dir }),
    )
    await expect(pipeline(task, folder, { adapters: 'x' as never })).rejects.toThrow(
      heedError('invalid-option', { key: 'adapters' }),
    )
    await expect(pipeline(task, folder, { adapters: [folder] })).rejects.toThrow(
      heedError('missing-file', { value: folder }),
    )
  })
})

it('SentenceEncoder attaches adapters', async () => {
  const folder = fixture('encoder')
  const dir = await adapterOf(folder, 'encoder', at('sentences'))
  const [plain] = await (await SentenceEncoder.fromPretrained(folder)).embed([TEXT])
  const adapted = await SentenceEncoder.fromPretrained(folder, { adapters: [dir] })
  expect((await adapted.embed([TEXT]))[0]).not.toEqual(plain)
})
