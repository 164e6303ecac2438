import { describe, expect, it } from 'vitest'
import { fileError } from '../../src/io/files/file-error.ts'
import { checkNames, isDevice } from '../../src/io/files/names-on-windows.ts'
import { checkPath } from '../../src/io/hub/files.ts'
import { heedError } from '../support/heed-error.ts'

const problem = (path: string, isWindows = true): string => {
  try {
    checkNames(path, isWindows)
    return ''
  } catch (error) {
    return String((error as Error).message)
  }
}

describe('a path that Windows can store', () => {
  it.each([
    'runs/spam',
    'runs\\spam',
    'C:\\runs\\spam',
    'C:/runs/spam',
    'C:runs',
    '\\\\server\\share\\runs',
    '\\\\?\\C:\\runs\\spam',
    '..\\.\\runs',
    '.heed/data',
    'console.txt',
    'nullable',
    'com10',
    'naïve 漢字 (2)',
    'a.tar.gz',
    '',
  ])('%j', (path) => expect(problem(path)).toBe(''))
})

describe('a path that it cannot store', () => {
  it.each([
    ['run:2', 'run:2', /< > : "/],
    ['C:\\runs\\a:b', 'a:b', /< > : "/],
    ['runs/a*b', 'a*b', /< > : "/],
    ['runs/"x"', '\\"x\\"', /< > : "/],
    ['runs/a|b/c', 'a|b', /< > : "/],
    ['runs/<>', '<>', /< > : "/],
    ['runs/what?', 'what?', /< > : "/],
    ['runs/a\tb', 'a\\tb', /control characters/],
    ['con', 'con', /devices/],
    ['runs\\NUL\\x', 'NUL', /devices/],
    ['runs/nul.txt', 'nul.txt', /devices/],
    ['runs/Com1', 'Com1', /devices/],
    ['runs/LPT9.csv', 'LPT9.csv', /devices/],
    ['runs./x', 'runs.', /dot or a space/],
    ['runs/x ', 'x ', /dot or a space/],
    ['runs/...', '...', /dot or a space/],
  ])('%j', (path, name, rule) => {
    expect(problem(path)).toMatch(rule)
    expect(problem(path)).toContain(`got "${name}"`)
    expect(problem(path, false)).toBe('') // elsewhere they are names like others
  })
})

it('files of the hub with names of devices are refused everywhere, as a folder may be copied', () => {
  for (const name of ['con', 'aux.json', '1_Pooling/NUL']) {
    expect(isDevice(name.split('/').at(-1) ?? '')).toBe(true)
    expect(() => checkPath(name)).toThrow(heedError('corrupt-file', { value: name }))
  }
  expect(checkPath('config.json')).toBe('config.json')
})

it.each([
  ['EPERM', true, /program.*permission/],
  ['EACCES', true, /program.*permission/],
  ['EBUSY', true, /program.*permission/],
  ['EPERM', false, /: permission/],
  ['EBUSY', false, /program[^,]*$/],
  ['ENOSPC', true, /\bdisk\b/],
])('%s, on Windows %s, is explained', (code, isWindows, reason) => {
  const error = Object.assign(new Error(code), { code })
  expect((fileError(error, 'write', 'a', isWindows) as Error).message).toMatch(reason)
})
