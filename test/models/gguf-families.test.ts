// Architectures other than those like Llama, in files of gguf-py.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openGGUF } from '../../src/io/gguf/gguf.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained, type Head } from '../../src/models/index.ts'
import { readSentenceConfig } from '../../src/models/sentence-config.ts'
import { type Module, QuantizedEmbedding, QuantizedLinear } from '../../src/nn/index.ts'
import { noGrad, type Tensor, tensor } from '../../src/tensor/index.ts'
import { heedError } from '../support/heed-error.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))
const SET = 'bloom-00001-of-00003.gguf'

const FILES: [name: string, file: string, head: Head][] = [
  ['gpt2', 'gpt2.gguf', 'causal-lm'],
  ['bloom', SET, 'causal-lm'],
  ['phi3', 'phi3.gguf', 'causal-lm'],
  ['bert', 'bert.gguf', 'encoder'],
]

describe.each(FILES)('%s', (name, file, head) => {
  // First, as each warning is printed once.
  it('opens without a warning', async () => {
    const warning = vi.spyOn(console, 'warn').mockReturnValue()
    await fromPretrained(join(FIXTURES, file), head)
    expect(warning).not.toHaveBeenCalled()
    warning.mockRestore()
  })

  // Blocks round the activations of up to 32 rows to 16 bits.
  it.each([
    ['ids', false, 1e-4],
    ['short_ids', false, 1e-4],
    ['ids', true, 5e-4],
    ['short_ids', true, 5e-4],
  ])('gives the results of transformers: %s, in blocks: %s', async (kind, keepBlocks, bound) => {
    const path = join(FIXTURES, file)
    const model = (await fromPretrained(path, head, { keepBlocks })) as unknown as Model
    const { ids, expected } = await read(name, kind.replace('ids', ''))
    const results = await noGrad(() => model.forward(ids)).data()
    expect(apart(results, expected)).toBeLessThan(bound)
  })

  it('has the config that it was made from', async () => {
    const { config } = (await fromPretrained(join(FIXTURES, file), head)) as unknown as Module
    const { model_type: _, ...fields } = JSON.parse(
      await readFile(join(FIXTURES, `${name}.json`), 'utf8'),
    )
    expect(config).toMatchObject(fields)
  })
})

describe('the weights of a Conv1D', () => {
  it('stay in blocks', async () => {
    const model = await fromPretrained(join(FIXTURES, 'gpt2.gguf'))
    expect(model.getModule('transformer.h.1.attn.c_attn')).toBeInstanceOf(QuantizedLinear)
    expect(model.getModule('transformer.wte')).toBeInstanceOf(QuantizedEmbedding)
    const { ids } = await read('gpt2', '')
    const plain = await fromPretrained(join(FIXTURES, 'gpt2.gguf'), 'causal-lm', {
      keepBlocks: false,
    })
    const [blocks, numbers] = [model, plain].map((each) => noGrad(() => each.forward(ids)).data())
    expect(apart(await blocks, await numbers)).toBeLessThan(1e-5)
  })
})

describe('the pooling of an encoder', () => {
  it('is that of the file', async () => {
    const { config } = await readSentenceConfig(join(FIXTURES, 'bert.gguf'))
    expect(config).toEqual({ pooling: ['cls'], normalize: true })
  })
})

describe('a set of files', () => {
  it('opens by its first file, under names without .gguf too', async () => {
    const folder = await copyOfSet((name) => name.replace('.gguf', '').replace('bloom', 'a.b'))
    const file = await openGGUF(join(folder, 'a.b-00001-of-00003'))
    const whole = await openGGUF(join(FIXTURES, SET))
    expect(file.names).toEqual(whole.names)
    expect(file.names).toHaveLength(29)
    for (const name of file.names) expect(await file.read(name)).toEqual(await whole.read(name))
    await file.close()
    await whole.close()
    await expect(file.read('token_embd.weight')).rejects.toThrow(
      heedError('invalid-state', { key: 'token_embd.weight' }),
    )
  })

  it.each([
    [2, ['00002-of-00003.gguf', 'part 2 of 3']],
    [3, ['00003-of-00003.gguf', 'part 3 of 3']],
  ])('names the first file for part %d', async (part, mentions) => {
    const path = join(FIXTURES, `bloom-0000${part}-of-00003.gguf`)
    const problem = heedError('invalid-option', { mentions, remedy: SET })
    await expect(openGGUF(path)).rejects.toThrow(problem)
    await expect(fromPretrained(path)).rejects.toThrow(problem)
  })

  it('names the files that are missing', async () => {
    const folder = await copyOfSet()
    await rm(join(folder, 'bloom-00002-of-00003.gguf'))
    await expect(openGGUF(join(folder, SET))).rejects.toThrow(
      heedError('missing-file', { mentions: ['3 files', 'got 2', 'bloom-00002-of-00003.gguf'] }),
    )
  })

  it('is refused by the number of its files, however many a damaged one claims', async () => {
    const folder = await copyOfSet()
    const bytes = await readFile(join(folder, SET))
    const key = 'split.count'
    bytes.writeUInt16LE(0xffff, bytes.indexOf(key) + key.length + 4) // after the type
    await writeFile(join(folder, SET), bytes)
    await expect(openGGUF(join(folder, SET))).rejects.toThrow(
      heedError('missing-file', {
        mentions: ['65535 files', 'got 3', 'bloom-00004-of-00003.gguf'],
      }),
    )
  })

  it.each([
    ['another part in its place', '00003'],
    ['the first part twice', '00001'],
  ])('refuses %s', async (_, part) => {
    const folder = await copyOfSet()
    const copied = await readFile(join(folder, `bloom-${part}-of-00003.gguf`))
    await writeFile(join(folder, 'bloom-00002-of-00003.gguf'), copied)
    const error = await openGGUF(join(folder, SET)).catch((problem: unknown) => problem)
    expect(error).toEqual(
      heedError('corrupt-file', { mentions: ['00002-of-00003.gguf', 'part 2', '3, got'] }),
    )
  })

  it('says how the files must be called', async () => {
    const folder = await copyOfSet((name) => name.replace('00001-of-00003', 'first'))
    await expect(openGGUF(join(folder, 'bloom-first.gguf'))).rejects.toThrow(
      heedError('invalid-option', { mentions: ['model-00001-of-00002.gguf', 'bloom-first.gguf'] }),
    )
  })
})

interface Model {
  forward(ids: Tensor): Tensor
}

async function read(name: string, kind: string): Promise<{ ids: Tensor; expected: Float32Array }> {
  const file = await openSafetensors(join(FIXTURES, `${name}.safetensors`))
  const key = kind === '' ? 'input_ids' : `${kind}ids`
  const ids = await file.read(key, { as: 'i32' })
  const expected = await file.read(`${kind}logits`, { as: 'f32' })
  await file.close()
  return { ids: tensor([Array.from(ids)], { dtype: 'i32' }), expected }
}

/** The largest difference, relative to the largest value. */
function apart(values: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(values).toHaveLength(expected.length)
  let [difference, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(values[i] - expected[i]))
    largest = Math.max(largest, Math.abs(expected[i]))
  }
  return difference / largest
}

async function copyOfSet(rename = (name: string): string => name): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'heed-set-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const part of [1, 2, 3]) {
    const name = `bloom-0000${part}-of-00003.gguf`
    await cp(join(FIXTURES, name), join(folder, rename(name)))
  }
  return folder
}
