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

const folder = join(import.meta.dirname, '../../src/runtime/wasm')
const { compiler, files, sources } = recorded()

it('was built from these sources', () => {
  expect(hashOfSources(), 'sources changed: run `npm run build:wasm`').toBe(sources)
  for (const [name, hash] of Object.entries(files)) expect(hashOfFile(folder, name)).toBe(hash)
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
