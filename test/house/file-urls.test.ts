// The path of a URL is the path of a file on POSIX systems alone: on Windows it is /C:/…, and spaces are %20.
import { expect, it } from 'vitest'
import { sourceFiles } from '../support/source-files.ts'

it('files are named by fileURLToPath', () => {
  const files = ['src', 'test', 'scripts', 'bench', 'examples'].flatMap((name) => sourceFiles(name))
  expect(files.length).toBeGreaterThan(500)
  const wrong = files.filter(({ text }) => /new URL\([^\n]*\)\.pathname/.test(text))
  expect(wrong.map(({ path }) => path)).toEqual([])
})
