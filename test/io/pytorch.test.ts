import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSafetensors } from '../../src/io/index.ts'
import { openPyTorchFile } from '../../src/io/pytorch/file.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'
import { archiveWith, op, pickle, tensorCall, written, zip } from './pytorch-archive.ts'
import { temporaryFolder } from './temporary-folder.ts'

const folder = join(FIXTURES, 'pytorch')

describe('a state dict of torch.save', () => {
  it('is read as PyTorch reads it: all types, shared storages, strides', async () => {
    const file = await openPyTorchFile(join(folder, 'state.bin'))
    const expected: Record<string, [number[], number[]]> = JSON.parse(
      readFileSync(join(folder, 'state.json'), 'utf8'),
    )
    expect(file.names.filter((name) => name !== 'complex')).toEqual(Object.keys(expected))
    for (const [name, [shape, values]] of Object.entries(expected)) {
      expect(file.info(name).shape, name).toEqual(shape)
      expect([...(await file.read(name, { as: 'f32' }))], name).toEqual(values.map(Math.fround))
      const pieces: number[] = []
      for await (const { values } of file.pieces(name)) pieces.push(...values)
      expect(pieces, name).toEqual(values.map(Math.fround))
      const raw = await file.read(name)
      expect(raw.length, name).toBe(values.length)
    }
    await expect(file.read('complex')).rejects.toThrow(
      heedError('unsupported', { key: 'complex', value: 'c64' }),
    )
    await file.close()
  })

  it('may have newer pickles, and shards with an index', async () => {
    for (const name of ['protocol4.bin', 'pytorch_model.bin.index.json']) {
      const file = await openSafetensors(join(folder, name))
      expect(file.names).toEqual(['a', 'b'])
      expect([...(await file.read('a', { as: 'f32' }))]).toEqual([0, 1, 2])
      expect([...(await file.read('b', { as: 'f32' }))]).toEqual([1, 1, 1, 1])
      await file.close()
    }
  })

  it('is found in a folder', async () => {
    const dir = await temporaryFolder()
    await copyFile(join(folder, 'protocol4.bin'), join(dir, 'pytorch_model.bin'))
    const file = await openSafetensors(dir)
    expect(file.names).toEqual(['a', 'b'])
    await file.close()
  })

  it('of the format before PyTorch 1.6 is refused by name', async () => {
    await expect(openPyTorchFile(join(folder, 'old.bin'))).rejects.toThrow(
      heedError('unsupported', { mentions: 'PyTorch 1.6', remedy: 'torch.save' }),
    )
  })

  it('must not be a module, which needs its class', async () => {
    await expect(openPyTorchFile(join(folder, 'module.bin'))).rejects.toMatchObject({
      code: 'unsupported',
      details: { key: 'torch.nn.modules.linear.Linear' },
    })
  })

  it('is built by the helper below as PyTorch does it', async () => {
    const path = await written(zip(archiveWith(pickle(op.dict(op.text('w'), tensorCall())))))
    const file = await openPyTorchFile(path)
    expect([...(await file.read('w'))]).toEqual([1, 2, 3, 4])
    await file.close()
  })
})
