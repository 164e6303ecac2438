// Checkpoints on Windows while another program has their files open: the real files, with calls that are refused.
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { writeFileAtomic } from '../../src/io/files/atomic.ts'
import { latestCheckpoint, saveCheckpoint } from '../../src/io/files/checkpoint.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** Which renames are refused, and how often still. */
const held = vi.hoisted(() => ({ name: '', times: 0, refused: 0 }))

vi.mock('../../src/util/on-windows.ts', () => ({ onWindows: true }))
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }))
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>()
  const rename: typeof fs.rename = async (from, to) => {
    const isHeld = [from, to].some((path) => basename(String(path)) === held.name)
    if (!isHeld || held.times <= 0) return fs.rename(from, to)
    held.times--
    held.refused++
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
  }
  return { ...fs, rename }
})

beforeEach(() => Object.assign(held, { name: '', times: 0, refused: 0 }))

const save = (run: string, step: number) =>
  saveCheckpoint(run, step, { 'model.safetensors': `weights ${step}`, 'state.json': '{}' })

const weights = (run: string): Promise<string> => readFile(join(run, 'model.safetensors'), 'utf8')

it('a file is replaced once it is free', async () => {
  const folder = await temporaryFolder()
  await writeFileAtomic(join(folder, 'a'), 'old')
  Object.assign(held, { name: 'a', times: 3 })
  await writeFileAtomic(join(folder, 'a'), 'new')
  expect(held.refused).toBe(3)
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new')
})

it('a file that stays open keeps its content, and the error says so', async () => {
  const folder = await temporaryFolder()
  const path = join(folder, 'a')
  await writeFileAtomic(path, 'old')
  Object.assign(held, { name: 'a', times: Number.POSITIVE_INFINITY })
  await expect(writeFileAtomic(path, 'new')).rejects.toThrow(
    heedError('file-system', { value: path, mentions: 'permission', remedy: 'Close' }),
  )
  expect(await readFile(path, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['a'])
})

it.each(['step-000002', 'model.safetensors'])('a checkpoint waits for %s', async (name) => {
  const run = await temporaryFolder()
  await save(run, 1)
  Object.assign(held, { name, times: 5 })
  await save(run, 2)
  expect(held.refused).toBe(5)
  expect(await weights(run)).toBe('weights 2')
  expect(await latestCheckpoint(run)).toMatchObject({ step: 2, damaged: [] })
})

it.each([
  ['step-000002', 1],
  ['model.safetensors', 2], // the checkpoint is complete before the run folder shows it
])('while %s stays open, the newest checkpoint is intact', async (name, newest) => {
  const run = await temporaryFolder()
  await save(run, 1)
  Object.assign(held, { name, times: Number.POSITIVE_INFINITY })
  await expect(save(run, 2)).rejects.toThrow(heedError('file-system', { mentions: 'program' }))
  expect(await weights(run)).toBe('weights 1')
  expect(await latestCheckpoint(run)).toMatchObject({ step: newest, damaged: [] })
  held.times = 0
  await save(run, 3)
  expect(await weights(run)).toBe('weights 3')
})

it('an old checkpoint that is open is removed later, which is said', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const run = await temporaryFolder()
  for (const step of [1, 2]) await save(run, step)
  Object.assign(held, { name: 'step-000001', times: Number.POSITIVE_INFINITY })
  await save(run, 3)
  expect(warned.mock.calls.flat().join()).toMatch(/step-000001 /)
  held.times = 0
  await save(run, 4)
  expect((await readdir(join(run, 'checkpoints'))).sort()).toEqual(['step-000003', 'step-000004'])
  warned.mockRestore()
})
