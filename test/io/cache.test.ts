import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { cacheFolder, cacheHome, tidyCache } from '../../src/io/files/cache.ts'
import { temporaryFolder } from './temporary-folder.ts'

it('a cache is where HEED_CACHE says, else where the system has caches', () => {
  vi.stubEnv('HEED_CACHE', '/tmp/own')
  expect(cacheFolder('data')).toBe(join('/tmp/own', 'data'))
  vi.stubEnv('HEED_CACHE', '')
  vi.stubEnv('XDG_CACHE_HOME', '/tmp/all')
  expect(cacheFolder('data')).toBe(join('/tmp/all', 'heed', 'data'))
  vi.unstubAllEnvs()
})

it.each([
  ['win32', { LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local' }, 'C:\\Users\\me\\AppData\\Local'],
  ['win32', {}, join(homedir(), 'AppData', 'Local')],
  ['win32', { XDG_CACHE_HOME: 'D:\\caches', LOCALAPPDATA: 'C:\\x' }, 'D:\\caches'],
  ['linux', { LOCALAPPDATA: 'C:\\x' }, join(homedir(), '.cache')],
  ['darwin', {}, join(homedir(), '.cache')],
])('caches of %s with %o', (platform, env, home) => {
  expect(cacheHome(env, platform)).toBe(home)
})

it('a cache loses what has not been used for longest, never what is used', async () => {
  const folder = await temporaryFolder()
  for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
    const path = join(folder, name)
    if (name === 'b') {
      await mkdir(path)
      await writeFile(join(path, 'inside'), Buffer.alloc(100))
    } else await writeFile(path, Buffer.alloc(100))
    await utimes(path, 1000 + i, 1000 + i)
  }
  await tidyCache(folder, join(folder, 'd'), 400)
  expect(await readdir(folder)).toEqual(['a', 'b', 'c', 'd'])
  await tidyCache(folder, join(folder, 'a'), 250)
  expect(await readdir(folder)).toEqual(['a', 'd'])
  await tidyCache(folder, join(folder, 'd'), 50)
  expect(await readdir(folder)).toEqual(['d'])
})
