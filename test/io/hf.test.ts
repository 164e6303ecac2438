import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureDir } from '../../src/io/files/ensure-dir.ts'
import { modelFolder, readConfig } from '../../src/io/hub/hf.ts'
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
    await expect(readConfig(empty)).rejects.toThrow(`${empty} must contain config.json, got none`)
    await expect(readConfig(join(empty, 'no'))).rejects.toThrow(/no: it does not exist/)
    await expect(readConfig('no.gguf')).rejects.toThrow('Cannot read no.gguf: it does not exist')
    await expect(readConfig(join(empty, 'x'))).rejects.toThrow(
      /x must be a model folder .* got an empty file/,
    )
  })

  it.each([
    ['{"model_type": "gpt2",}', /config.json is not valid JSON: line 1, column 23/],
    ['{}', /`model_type` .* got undefined/],
    ['{"model_type": ["gpt2"]}', /`model_type` .* got \["gpt2"\]/],
    ['[]', /must be a JSON object/],
    ['{"model_type": "gpt2", "__proto__": {"n_layer": 1}}', /"__proto__" is not allowed/],
  ])('refuses %s', async (text, message) => {
    await expect(readConfig(await folderWith({ 'config.json': text }))).rejects.toThrow(message)
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
      /must contain model.safetensors, got no weights/,
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
    await expect(ensureDir(join(folder, 'taken'))).rejects.toThrow(/taken: a file has this name/)
    await expect(ensureDir(join(folder, 'taken', 'x'))).rejects.toThrow(
      /a part of the path is a file/,
    )
  })
})
