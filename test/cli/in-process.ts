import { run } from '../../src/cli/main.ts'

/** Runs a command in this process; what it printed, its mistake and its exit code. */
export async function heed(
  ...words: string[]
): Promise<{ out: string; mistake: string; code: number }> {
  const { log } = console
  const { write } = process.stderr
  const lines: string[] = []
  const mistakes: string[] = []
  console.log = (line) => void lines.push(String(line))
  process.stderr.write = (text) => mistakes.push(String(text)) > 0
  try {
    await run(['node', 'heed', ...words])
    const code = Number(process.exitCode ?? 0)
    return { out: lines.join('\n'), mistake: mistakes.join('\n'), code }
  } finally {
    process.exitCode = 0
    console.log = log
    process.stderr.write = write
  }
}
