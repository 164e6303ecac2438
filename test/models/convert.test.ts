import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { HASHES, recordHashes } from '../../src/io/files/hashes.ts'
import { checkFiles } from '../../src/io/files/verify.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { type CausalLM, convertModel, fromPretrained } from '../../src/models/index.ts'
import { noGrad, tensor } from '../../src/tensor/index.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/gguf/', import.meta.url))

async function logitsOf(model: CausalLM): Promise<Float32Array> {
  const ids = tensor([[1, 70, 30, 99, 5, 200]], { dtype: 'i32' })
  return (await noGrad(() => model.forward(ids)).data()) as Float32Array
}

describe.each(['llama', 'qwen2', 'qwen3', 'gemma'])('%s.gguf as a folder', (name) => {
  const source = join(FIXTURES, `${name}.gguf`)

  it('computes the same, with the same tokens and chat template', async () => {
    const target = join(await temporaryFolder(), 'model')
    await convertModel(source, target)
    const wanted = await logitsOf(await fromPretrained(source, 'causal-lm', { keepBlocks: false }))
    expect(await logitsOf(await fromPretrained(target))).toEqual(wanted)
    const [own, other] = [await Tokenizer.fromFile(source), await Tokenizer.fromFile(target)]
    expect(other.encode('The dog, 123')).toEqual(own.encode('The dog, 123'))
    expect(other.config.chat_template).toBe(own.config.chat_template)
  })
})

describe('convertModel', () => {
  const source = join(FIXTURES, 'llama.gguf')

  it('records the checksums of what it writes, where the source has checksums', async () => {
    const folder = await temporaryFolder()
    const [run, copy] = [join(folder, 'run'), join(folder, 'copy')]
    await convertModel(source, run)
    await writeFile(join(run, 'run.json'), '{}')
    await recordHashes(run, await readdir(run))
    await convertModel(run, copy, { dtype: 'bf16' })
    const files = await checkFiles(copy)
    expect(files?.map(({ name }) => name)).toEqual((await readdir(copy)).filter((name) => name !== HASHES).sort()) // biome-ignore format: one line
    expect(files?.map(({ problem }) => problem)).toEqual(files?.map(() => undefined))
    expect(await readdir(copy)).not.toContain('run.json') // a copy cannot be resumed
    await fromPretrained(copy)
    // Of an earlier conversion into the same folder.
    await convertModel(source, copy)
    expect(await checkFiles(copy)).toBeUndefined()
  })

  it('does not write over a run', async () => {
    const run = await temporaryFolder()
    await writeFile(join(run, 'run.json'), '{}')
    await expect(convertModel(source, run)).rejects.toThrow(
      heedError('already-exists', { key: 'target' }),
    )
    expect(await readdir(run)).toEqual(['run.json'])
  })

  it('changes the dtype and cuts into shards, and leaves the other files as they are', async () => {
    const folder = await temporaryFolder()
    const [whole, cut] = [join(folder, 'whole'), join(folder, 'cut')]
    await convertModel(source, whole)
    await writeFile(join(whole, 'generation_config.json'), '{"top_k": 3}')
    await convertModel(whole, cut, { dtype: 'bf16', maxShardBytes: 20_000 })
    const file = await openSafetensors(cut)
    expect(new Set(file.names.map((name) => file.info(name).dtype))).toEqual(new Set(['bf16']))
    await file.close()
    const names = await readdir(cut)
    expect(names.filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(1)
    expect(names).toEqual(expect.arrayContaining(['tokenizer.json', 'tokenizer_config.json']))
    expect(await readFile(join(cut, 'generation_config.json'), 'utf8')).toBe('{"top_k": 3}')
    const config = JSON.parse(await readFile(join(cut, 'config.json'), 'utf8'))
    expect(config.torch_dtype).toBe('bfloat16')
    const [wanted, found] = await Promise.all(
      [source, cut].map(async (path) =>
        logitsOf(await fromPretrained(path, 'causal-lm', { keepBlocks: false })),
      ),
    )
    const apart = wanted
      .map((value, i) => Math.abs(value - found[i]))
      .reduce((a, b) => Math.max(a, b))
    expect(apart).toBeGreaterThan(0)
    expect(apart).toBeLessThan(0.5)
  })

  it('keeps dtypes that it is not told to change', async () => {
    const folder = await temporaryFolder()
    const [half, again] = [join(folder, 'half'), join(folder, 'again')]
    await convertModel(source, half, { dtype: 'f16' })
    await convertModel(half, again)
    for (const name of ['model.safetensors', 'config.json'])
      expect(await readFile(join(again, name))).toEqual(await readFile(join(half, name)))
  })

  it('does not write over the model that it reads', async () => {
    const folder = await temporaryFolder()
    await convertModel(source, folder)
    await expect(convertModel(folder, `${folder}/.`)).rejects.toThrow(
      heedError('invalid-option', { key: 'target' }),
    )
  })
})
