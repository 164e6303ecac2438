import { vi } from 'vitest'
import { run } from '../../src/cli/main.ts'

/** Runs a command in this process; what it printed, and its mistake. */
export async function heed(...words: string[]): Promise<{ out: string; mistake: string }> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  try {
    await run(['node', 'heed', ...words])
    const text = (calls: unknown[][]): string => calls.map(([line]) => String(line)).join('\n')
    return { out: text(log.mock.calls), mistake: text(err.mock.calls) }
  } finally {
    process.exitCode = 0
    log.mockRestore()
    err.mockRestore()
  }
}
