import { createHash } from 'node:crypto'
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ensureDir } from '../../src/io/files/ensure-dir.ts'
import { lockFolder } from '../../src/io/files/lock.ts'
import { startOf, thisProcess } from '../../src/io/files/process-identity.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch } from '../train/support.ts'

const at = scratch()
const NOBODY = 2 ** 22 + 7 // above the largest process number of Linux

async function folderWith(name: string, lock?: object | string): Promise<string> {
  const folder = at(name)
  await ensureDir(folder)
  if (lock !== undefined)
    await writeFile(join(folder, '.lock'), typeof lock === 'string' ? lock : JSON.stringify(lock))
  return folder
}

it('holds a folder for one at a time, also in one process', async () => {
  const folder = await folderWith('one')
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toThrow(
    heedError('invalid-state', { key: 'out', mentions: [folder, `process ${process.pid}`] }),
  )
  await lock.release()
  expect(await readdir(folder)).toEqual([])
  await (await lockFolder(folder)).release()
})

const gone = { ...thisProcess, pid: NOBODY, token: 'gone' }

it.each([
  ['an old lock', gone],
  ['no lock', undefined],
  ['half a lock', '{"host"'],
])('lets one of many through that find %s', async (name, lock) => {
  for (let round = 0; round < 5; round++) {
    const folder = await folderWith(`many ${name} ${round}`, lock)
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(JSON.parse(await readFile(join(folder, '.lock'), 'utf8')).pid).toBe(process.pid)
    expect(await readdir(folder)).toEqual(['.lock'])
  }
})

it('never lies there without its content', async () => {
  const folder = await folderWith('content')
  let open = true
  const seen: string[] = []
  const look = (async () => {
    while (open) seen.push(await readFile(join(folder, '.lock'), 'utf8').catch(() => 'none'))
  })()
  for (let i = 0; i < 300; i++) await (await lockFolder(folder)).release()
  open = false
  await look
  expect(seen.filter((text) => !text.endsWith('}\n') && text !== 'none')).toEqual([])
  expect(seen.some((text) => text !== 'none')).toBe(true)
})

it('waits for the file of a lock that it has released, which another program may still read', async () => {
  const folder = await folderWith('released', { ...thisProcess, id: 'released' })
  setTimeout(() => void rm(join(folder, '.lock')), 120)
  const lock = await lockFolder(folder)
  await expect(lockFolder(folder)).rejects.toThrow(heedError('invalid-state', { key: 'out' }))
  await lock.release()
  expect(await readdir(folder)).toEqual([])
})

it('takes over after a process that was killed while it took over', async () => {
  const text = JSON.stringify(gone)
  const folder = await folderWith('chain', text)
  const claim = createHash('sha256').update(text).digest('hex').slice(0, 12)
  await writeFile(join(folder, `.lock.${claim}`), JSON.stringify({ ...gone, token: 'second' }))
  await (await lockFolder(folder)).release()
  expect(await readdir(folder)).toEqual([])
})

const other = { ...thisProcess, token: 'other' }
const PARENT = process.ppid

it.each([
  ['a process that has ended', { ...other, pid: NOBODY }],
  ['an earlier process with the number of this one', { ...other, pid: process.pid }],
  ['an earlier process with the number of a running one', { ...other, pid: PARENT, started: '1' }],
  ['a process that was killed while it wrote', '{"host"'],
])('takes over the lock of %s', async (name, lock) => {
  const started = typeof lock === 'object' && 'started' in lock
  if (started && (await startOf(PARENT)) === undefined) return // not Linux
  const folder = await folderWith(name, lock)
  await (await lockFolder(folder)).release()
})

it('respects a running process, and another machine that renews its lock', async () => {
  const running = { ...other, pid: PARENT, started: await startOf(PARENT) }
  await expect(lockFolder(await folderWith('running', running))).rejects.toThrow(
    heedError('invalid-state', { mentions: `process ${PARENT}` }),
  )
  const folder = await folderWith('remote', { ...other, host: 'elsewhere', pid: 1 })
  await expect(lockFolder(folder)).rejects.toThrow(
    heedError('invalid-state', { key: 'out', mentions: ['process 1 ', 'elsewhere'] }),
  )
  const before = new Date(Date.now() - 11 * 60_000)
  await utimes(join(folder, '.lock'), before, before)
  await (await lockFolder(folder)).release()
})

it('leaves a lock that another process has taken over', async () => {
  const folder = await folderWith('taken')
  const lock = await lockFolder(folder)
  await writeFile(join(folder, '.lock'), JSON.stringify(other))
  await lock.release()
  expect(await readdir(folder)).toEqual(['.lock'])
})
