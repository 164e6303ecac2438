import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { checkSettings } from '../../src/util/settings.ts'

/** The warnings of one check with these variables. */
function warningsWith(variables: Record<string, string>): string[] {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  checkSettings()
  return warn.mock.calls.map(([text]) => String(text))
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('unknown variables', () => {
  it.each([
    ['HEED_THREAD', 'HEED_THREADS'],
    ['HEED_MEMORY_LIMIT', 'HEED_MEMORY'],
    ['HEED_CACHE_DIR', 'HEED_CACHE'],
    ['HEED_DEVISE', 'HEED_DEVICE'],
  ])('%s is reported with the nearest name', (name, near) => {
    const warnings = warningsWith({ [name]: '1' })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`${name} is not a setting`)
    expect(warnings[0]).toContain(`Did you mean ${near}?`)
  })

  it('are reported once', () => {
    expect(warningsWith({ HEED_TWICE: '1' })).toHaveLength(1)
    expect(warningsWith({ HEED_TWICE: '2' })).toHaveLength(1) // of both checks
  })

  it('of other programs, and settings, are not reported', () => {
    expect(warningsWith({ HEEDLESS: '1', HEED_THREADS: '2', HEED_PYTHON: 'python3' })).toEqual([])
  })

  const git = spawnSync('git', ['--version']).status === 0
  it.skipIf(!git)('are none of those that the repository itself reads', () => {
    const files = execFileSync('git', [
      'ls-files',
      'scripts',
      'test',
      'bench',
      'examples',
      'native',
    ])
    const names = new Set<string>()
    for (const file of String(files).trim().split('\n')) {
      if (!/\.(ts|mjs|js|cc|h|py)$/.test(file) || file.endsWith('settings.test.ts')) continue
      for (const [, name] of readFileSync(file, 'utf8').matchAll(READ)) names.add(name)
    }
    expect(names.size).toBeGreaterThan(5)
    expect(warningsWith(Object.fromEntries([...names].map((name) => [name, ''])))).toEqual([])
  })
})

const READ = /(?:process\.env\.|getenv\("|environ\[["'])(HEED_\w+)/g
