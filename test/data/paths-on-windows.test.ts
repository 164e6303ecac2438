// Paths with drive letters, backslashes and UNC names, by the rules of node:path/win32, on any system.
import { posix, win32 } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isGlob, splitPattern } from '../../src/data/find-files.ts'
import { isInside } from '../../src/io/hub/pull.ts'

describe('a pattern', () => {
  it.each([
    ['data/*.csv', 'data', ['*.csv']],
    ['data\\*.csv', 'data', ['*.csv']],
    ['data\\deep/**\\*.csv', 'data\\deep', ['**', '*.csv']],
    ['*.csv', '.', ['*.csv']],
    ['C:\\*.csv', 'C:\\', ['*.csv']],
    ['C:/data/x*/a?.csv', 'C:/data', ['x*', 'a?.csv']],
    ['C:*.csv', 'C:', ['*.csv']],
    ['\\\\server\\share\\*.csv', '\\\\server\\share\\', ['*.csv']],
    ['\\\\server\\share\\data\\*.csv', '\\\\server\\share\\data', ['*.csv']],
    ['\\\\?\\C:\\data\\*.csv', '\\\\?\\C:\\data', ['*.csv']],
    ['..\\*', '..', ['*']],
  ])('%j of Windows', (pattern, folder, names) => {
    expect(isGlob(pattern, win32)).toBe(true)
    expect(splitPattern(pattern, win32)).toEqual({ folder, names })
  })

  it.each([
    ['data/*.csv', 'data', ['*.csv']],
    ['/*.csv', '/', ['*.csv']],
    ['/data/**/*.csv', '/data', ['**', '*.csv']],
    ['data\\*.csv', '.', ['data\\*.csv']],
    ['*', '.', ['*']],
  ])('%j elsewhere', (pattern, folder, names) => {
    expect(splitPattern(pattern, posix)).toEqual({ folder, names })
  })

  it.each(['\\\\?\\C:\\data\\a.csv', 'C:\\data', '\\\\server\\share\\a.csv', 'a'])(
    '%j of Windows is none',
    (path) => expect(isGlob(path, win32)).toBe(false),
  )
})

it.each([
  [win32, 'C:\\models', 'C:\\models\\a', true],
  [win32, 'C:\\models', 'c:\\Models\\a', true], // names do not differ by case
  [win32, 'C:\\models', 'C:\\models', true],
  [win32, 'C:\\models', 'C:\\models\\..a', true],
  [win32, 'C:\\models', 'C:\\other', false],
  [win32, 'C:\\models', 'C:\\', false],
  [win32, 'C:\\models', 'D:\\models\\a', false], // relative paths do not lead there
  [win32, '\\\\server\\share\\m', '\\\\server\\share\\m\\a', true],
  [win32, '\\\\server\\share\\m', '\\\\server\\other\\m\\a', false],
  [posix, '/models', '/models/a', true],
  [posix, '/models', '/models/..a', true],
  [posix, '/models', '/models-2', false],
  [posix, '/models', '/', false],
])('%#: whether a path lies in a folder', (path, folder, other, inside) => {
  expect(isInside(folder, other, path)).toBe(inside)
})
