import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  removeStaleTemporaries,
  replaceFile,
  temporaryPath,
  writeFileAtomic,
} from '../../src/io/files/atomic.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('writeFileAtomic', () => {
  it('makes and replaces a file', async () => {
    const folder = await temporaryFolder()
    await writeFileAtomic(join(folder, 'a'), 'one')
    await writeFileAtomic(join(folder, 'a'), new TextEncoder().encode('two'))
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('two')
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('keeps the old file when writing fails half-way', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'a')
    await writeFile(path, 'old')
    const failing = replaceFile(path, async (handle) => {
      await handle.write('half of the n')
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    })
    await expect(failing).rejects.toThrow(
      heedError('file-system', { value: path, mentions: 'disk' }),
    )
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('says why it cannot', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'taken'))
    await expect(writeFileAtomic(join(folder, 'taken'), '')).rejects.toThrow(
      heedError('file-system', { value: join(folder, 'taken'), mentions: 'folder' }),
    )
    await expect(writeFileAtomic(join(folder, 'no', 'a'), '')).rejects.toThrow(
      heedError('missing-file', { value: join(folder, 'no', 'a') }),
    )
    expect(await readdir(folder)).toEqual(['taken'])
  })
})

describe('removeStaleTemporaries', () => {
  it('removes what dead processes left, and nothing else', async () => {
    const folder = await temporaryFolder()
    const host =
      hostname()
        .replace(/[^A-Za-z0-9]/g, '')
        .slice(0, 32) || 'host'
    const dead = 2 ** 30 // above any process number
    const mine = basename(temporaryPath(join(folder, 'x')))
    const stay = [
      'model.safetensors',
      '.hidden',
      'x.tmp',
      mine,
      `.x.${host}-${process.ppid}-01234567-0.tmp`,
      `.x.elsewhere-${dead}-01234567-0.tmp`,
    ]
    const go = [
      `.x.${host}-${dead}-01234567-0.tmp`,
      `.x.${host}-${process.pid}-01234567-9.tmp`,
      `.old.elsewhere-${dead}-01234567-0.tmp`,
    ]
    for (const name of [...stay, ...go]) await writeFile(join(folder, name), '')
    await mkdir(join(folder, `.step.${host}-${dead}-01234567-1.tmp`))
    await writeFile(join(folder, `.step.${host}-${dead}-01234567-1.tmp`, 'a'), '')
    await utimes(join(folder, go[2]), 0, 0)
    await removeStaleTemporaries(folder)
    expect((await readdir(folder)).sort()).toEqual(stay.sort())
  })
})
