// Processes whose terminal or reader goes away, and wrong settings of the environment.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { latestCheckpoint } from '../../src/io/files/checkpoint.ts'
import { posixOnly } from '../support/posix-only.ts'
import { loader } from '../support/run-script.ts'
import { scratch } from '../train/support.ts'

const at = scratch()
const main = fileURLToPath(new URL('../support/heed-main.ts', import.meta.url))
writeFileSync(at('text.txt'), 'the cat sat on the mat and the dog ran after it. '.repeat(60))

const small = '--layers 1 --heads 2 --dim 16 --context 16 --batch 2 --log-every 1 --seed 1'.split(
  ' ',
)
const training = (out: string, steps: string): string[] => [
  ...['train', 'gpt2', '--data', at('text.txt'), '--out', out, '--steps', steps],
  ...small,
]

function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [...loader, main, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
  })
}

async function ended(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = ''
  child.stderr?.on('data', (chunk) => (err += chunk))
  child.stdout?.resume()
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, err }
}

it('training runs to its end when nobody reads its output', async () => {
  const child = start(training(at('deaf'), '20'))
  child.stdout?.destroy()
  child.stderr?.destroy()
  expect((await ended(child)).code).toBe(0)
  expect((await latestCheckpoint(at('deaf')))?.step).toBe(20)
})

const noSignals = posixOnly('a process cannot be sent a signal that it handles')
it.skipIf(noSignals).each(['SIGHUP', 'SIGTERM'] as const)('%s saves', async (signal) => {
  const out = at(signal)
  const child = start(training(out, '1000000'))
  child.stdout?.destroy() // with the terminal goes the output
  const result = ended(child)
  while (!existsSync(join(out, 'metrics.jsonl'))) await sleep(20)
  child.kill(signal)
  if (signal === 'SIGHUP') child.kill(signal)
  expect((await result).code).toBe(0)
  expect((await latestCheckpoint(out))?.step).toBeGreaterThan(0)
})

it('a second process is refused, and a killed one does not block the run', async () => {
  const out = at('killed')
  const first = start(training(out, '1000000'))
  const gone = ended(first)
  while (!existsSync(join(out, 'metrics.jsonl'))) await sleep(20)
  const second = await ended(start(['train', '--out', out, '--resume']))
  expect(second.code).toBe(2)
  expect(second.err).toMatch(new RegExp(`killed .*process ${first.pid}\\b`))
  first.kill('SIGKILL')
  await gone
  const steps = 3 + ((await latestCheckpoint(out))?.step ?? 0)
  const third = await ended(start(['train', '--out', out, '--resume', '--steps', `${steps}`]))
  expect(third.err).toBe('')
  expect(third.code).toBe(0)
})

mkdirSync(at('model'))
writeFileSync(at('file'), '')

it.each([
  [
    'HEED_MEMORY',
    'plenty',
    /HEED_MEMORY must be a positive number of bytes, or a number with a unit/,
  ],
  ['HEED_MEMORY', '-5', /HEED_MEMORY must be/],
  ['HEED_THREADS', '0', /HEED_THREADS must be a whole number from 1 to 1024, got "0"/],
  ['HEED_THREADS', '2.5', /HEED_THREADS must be/],
  ['HEED_ISA', 'mmx', /HEED_ISA must be an instruction set/],
  ['HEED_DEVICE', 'gpu', /gpu/],
  ['HEED_DEBUG', 'yes', /HEED_DEBUG must be 0 or 1/],
  ['HEED_NICE', 'low', /HEED_NICE must be a whole number from -20 to 19/],
  ['HEED_CACHE', at('file'), /HEED_CACHE must be a folder that can be written/],
])('%s=%s is a mistake, without a slower device', async (name, value, message) => {
  const { code, err } = await ended(
    start(training(at(`${name}${value.length}`), '1'), { [name]: value }),
  )
  expect(err.replaceAll('`', '')).toMatch(message)
  expect(err).not.toMatch(/Computing on|\n\s+at |\.\.\n/)
  expect(code).toBe(2)
})

it.each(['20MB', '2GB', '0.5 GiB', '100000000'])('HEED_MEMORY=%s is understood', async (value) => {
  const out = at(`memory ${value}`)
  expect(await ended(start(training(out, '1'), { HEED_MEMORY: value }))).toEqual({
    code: 0,
    err: '',
  })
})
