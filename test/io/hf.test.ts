import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureDir } from '../../src/io/files/ensure-dir.ts'
import { modelFolder, readConfig } from '../../src/io/hub/hf.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

describe('readConfig', () => {
  it('reads config.json', async () => {
    const folder = await folderWith({ 'config.json': '{"model_type": "gpt2", "n_layer": 3}' })
    expect(await readConfig(folder)).toEqual({ model_type: 'gpt2', n_layer: 3 })
  })

  it('says what is wrong with the folder', async () => {
    const empty = await folderWith({ x: '' })
    await expect(readConfig(empty)).rejects.toThrow(
      heedError('missing-file', { mentions: [empty, 'config.json'] }),
    )
    await expect(readConfig(join(empty, 'no'))).rejects.toThrow(
      heedError('missing-file', { value: join(empty, 'no') }),
    )
    await expect(readConfig('no.gguf')).rejects.toThrow(
      heedError('missing-file', { value: 'no.gguf' }),
    )
    await expect(readConfig(join(empty, 'x'))).rejects.toThrow(
      heedError('corrupt-file', { mentions: ['x', 'empty'] }),
    )
  })

  it.each([
    [
      '{"model_type": "gpt2",}',
      heedError('corrupt-file', { mentions: ['config.json', 'JSON', 'line 1', 'column 23'] }),
    ],
    ['{}', heedError('invalid-config', { key: 'model_type', mentions: 'got undefined' })],
    [
      '{"model_type": ["gpt2"]}',
      heedError('invalid-config', { key: 'model_type', value: ['gpt2'] }),
    ],
    ['[]', heedError('corrupt-file', { mentions: 'JSON object' })],
    [
      '{"model_type": "gpt2", "__proto__": {"n_layer": 1}}',
      heedError('corrupt-file', { mentions: '"__proto__"' }),
    ],
  ])('refuses %s', async (text, error) => {
    await expect(readConfig(await folderWith({ 'config.json': text }))).rejects.toThrow(error)
  })
})

describe('modelFolder', () => {
  it('finds the files that are there', async () => {
    const folder = await folderWith({
      'config.json': '{}',
      'model.safetensors': '',
      'tokenizer.json': '',
    })
    expect(await modelFolder(folder)).toEqual({
      config: join(folder, 'config.json'),
      weights: join(folder, 'model.safetensors'),
      tokenizer: join(folder, 'tokenizer.json'),
      generationConfig: undefined,
    })
    const sharded = await folderWith({ 'config.json': '{}', 'model.safetensors.index.json': '' })
    expect((await modelFolder(sharded)).weights).toBe(join(sharded, 'model.safetensors.index.json'))
  })

  it('says why there are no weights', async () => {
    const none = await folderWith({ 'config.json': '{}' })
    await expect(modelFolder(none)).rejects.toThrow(
      heedError('missing-file', { mentions: 'model.safetensors' }),
    )
    const pickled = await folderWith({ 'config.json': '{}', 'pytorch_model.bin': '' })
    expect((await modelFolder(pickled)).weights).toBe(join(pickled, 'pytorch_model.bin'))
  })
})

describe('ensureDir', () => {
  it('makes folders, and says so when a file is in the way', async () => {
    const folder = await folderWith({ taken: '' })
    await ensureDir(join(folder, 'a', 'b'))
    await ensureDir(join(folder, 'a', 'b'))
    await mkdir(join(folder, 'a', 'b', 'c'))
    await expect(ensureDir(join(folder, 'taken'))).rejects.toThrow(
      heedError('already-exists', { value: join(folder, 'taken') }),
    )
    await expect(ensureDir(join(folder, 'taken', 'x'))).rejects.toThrow(
      heedError('file-system', { value: join(folder, 'taken', 'x') }),
    )
  })
})
