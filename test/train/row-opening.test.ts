// Rows are opened in one place, and what encodes them does not know the tasks.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../src/train/', import.meta.url))

/** The specifiers and names of each import, by file. */
const imports = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|js)$/.test(file))
  .map((file) => ({
    file: file.replaceAll('\\', '/'),
    text: readFileSync(join(root, file), 'utf8'),
  }))

const filesWith = (pattern: RegExp): string[] =>
  imports.filter(({ text }) => pattern.test(text)).map(({ file }) => file)

it('only task-data.ts opens rows', () => {
  expect(filesWith(/import\s+\{[^}]*\bopenRows\b[^}]*\}\s+from\s+'[./]*data\//)).toEqual([
    'task-data.ts',
  ])
  expect(filesWith(/\.rowOptions\?\.\(/)).toEqual(['task-data.ts'])
})

it('encoding imports nothing from tasks', () => {
  const encoding = filesWith(/(from|import\()\s*'[^']*tasks\//).filter((file) =>
    file.startsWith('encoding/'),
  )
  expect(encoding).toEqual([])
  expect(filesWith(/(from|import\()\s*'[^']*tasks\//)).toContain('encode-worker.js')
})
