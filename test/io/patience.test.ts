// Files that another program has open on Windows, with a file system that refuses calls as Windows does.
import { describe, expect, it } from 'vitest'
import {
  type FileSystem,
  isHeld,
  move,
  patiently,
  remove,
  removeUnlessHeld,
} from '../../src/io/files/patience.ts'

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** Refuses the first `times` calls. */
function refusing(code: string, times: number, isWindows = true) {
  const log = { calls: [] as string[], waited: 0 }
  const call = async (name: string): Promise<void> => {
    log.calls.push(name)
    if (log.calls.length <= times) throw failure(code)
  }
  const system: FileSystem = {
    isWindows,
    rename: (from, to) => call(`rename ${from} ${to}`),
    rm: (path) => call(`rm ${path}`),
    wait: async (milliseconds) => void (log.waited += milliseconds),
  }
  return { system, log }
}

const HELD = ['EPERM', 'EACCES', 'EBUSY', 'ENOTEMPTY']

describe.each(HELD)('%s on Windows', (code) => {
  it.each([
    ['move', (system: FileSystem) => move('a', 'b', system), 'rename a b'],
    ['remove', (system: FileSystem) => remove('a', system), 'rm a'],
  ] as const)('%s waits until the file is free', async (_, work, call) => {
    const { system, log } = refusing(code, 4)
    await work(system)
    expect(log.calls).toEqual(Array(5).fill(call))
  })

  it('is an error in the end', async () => {
    const { system, log } = refusing(code, Number.POSITIVE_INFINITY)
    await expect(move('a', 'b', system)).rejects.toMatchObject({ code })
    expect(log.waited).toBeGreaterThan(2000)
    expect(log.waited).toBeLessThan(5000)
  })

  it('leaves what is not needed for later', async () => {
    const { system, log } = refusing(code, 1)
    expect(await removeUnlessHeld('a', system)).toBe(false)
    expect(await removeUnlessHeld('a', system)).toBe(true)
    expect(log.waited).toBe(0)
  })
})

it.each([
  ['elsewhere', 'EPERM', false],
  ['elsewhere', 'EBUSY', false],
  ['on Windows', 'ENOENT', true],
  ['on Windows', 'ENOSPC', true],
])('%s %s is an error at once', async (_, code, isWindows) => {
  const { system, log } = refusing(code, 1, isWindows)
  await expect(move('a', 'b', system)).rejects.toMatchObject({ code })
  expect(log).toEqual({ calls: ['rename a b'], waited: 0 })
  expect(isHeld(failure(code), { isWindows })).toBe(false)
  await expect(removeUnlessHeld('a', refusing(code, 1, isWindows).system)).rejects.toThrow(code)
})

it('any call can be patient, and its result is returned', async () => {
  const { system } = refusing('EBUSY', 0)
  let calls = 0
  const work = async (): Promise<number> => {
    if (++calls < 3) throw failure('EBUSY')
    return calls
  }
  expect(await patiently(work, system)).toBe(3)
})
