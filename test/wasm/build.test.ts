// The WebAssembly in the repository is what its sources make.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  buildWasm,
  hashOfFile,
  hashOfSources,
  hasSameCompiler,
  recorded,
} from '../../native/build-wasm.mjs'
import { sourceTokens } from '../../native/source-tokens.mjs'

const folder = join(import.meta.dirname, '../../src/runtime/wasm')
const { compiler, files, sources } = recorded()

it('was built from these sources', () => {
  const rebuild =
    'The C++ sources changed: run `npm run build:wasm` (CONTRIBUTING.md says what it needs) and commit the files.'
  expect(hashOfSources(), rebuild).toBe(sources)
  for (const [name, hash] of Object.entries(files)) expect(hashOfFile(folder, name)).toBe(hash)
})

it('comments and layout do not matter, tokens do', () => {
  const source = '#define TWICE(x) \\\n  (2 * x)\nint a = TWICE(b); // "why"\nchar c = \'"\';\n'
  const other = "/* why */\n#define TWICE(x) (2 * x)\nint a =\n    TWICE( b );\nchar c='\"';"
  expect(sourceTokens(other)).toBe(sourceTokens(source))
  expect(sourceTokens('a + +b')).not.toBe(sourceTokens('a ++b'))
  expect(sourceTokens('"a // b"')).not.toBe(sourceTokens('"a"'))
})

const rebuild = hasSameCompiler() ? it : it.skip
rebuild(`${compiler} gives the same bytes`, { timeout: 900_000 }, () => {
  const fresh = mkdtempSync(join(tmpdir(), 'heed-wasm-'))
  try {
    for (const name of buildWasm(fresh)) expect(hashOfFile(fresh, name), name).toBe(files[name])
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
})
