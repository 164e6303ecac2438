// Kills training at random moments and resumes it; also starts or resumes several processes in one folder simultaneously.
//
//   npm run sweep:kills -- [KILLS] [RACES] [SEED]      (default 100 10 1)
//
// Each killed and resumed run must end with the same weights and metrics as an uninterrupted run. If several processes use
// one folder, one trains and all others are refused. No file may be damaged or left over.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { checkpointProblems } from '../../src/io/files/checkpoint.ts'
import { checkFiles } from '../../src/io/files/verify.ts'
import { randomUniform } from '../../src/util/random.ts'
import { withoutMeasured } from '../../test/support/measured.ts'
import { loader } from '../../test/support/run-script.ts'

const [kills, races, seed] = [100, 10, 1].map((usual, i) => Number(process.argv[2 + i] ?? usual))
const folder = mkdtempSync(join(tmpdir(), 'heed-kills-'))
const text = join(folder, 'text.txt')
const problems: string[] = []
let draws = 0
const random = (): number => randomUniform(seed, 0, draws++)

interface Training {
  child: ChildProcess
  /** Resolves when the first step is about to run, or when the process ends. */
  started: Promise<unknown>
  ended: Promise<{ code: number | null; message: string }>
}

/** Starts a process that loads Heed and then waits for the line `go` before it trains. */
async function prepare(out: string, way: 'start' | 'resume'): Promise<Training> {
  const script = fileURLToPath(new URL('train-once.ts', import.meta.url))
  const child = spawn(process.execPath, [...loader, script, out, text, way])
  let message = ''
  child.stderr.on('data', (part) => {
    message += part
  })
  const ended = once(child, 'close').then(([code]) => ({ code, message }))
  const says = (word: string): Promise<unknown> =>
    Promise.race([
      ended,
      new Promise<void>((resolve) => {
        child.stdout.on('data', (part) => String(part).includes(word) && resolve())
      }),
    ])
  const started = says('started')
  await says('ready')
  return { child, started, ended }
}

const go = ({ child }: Training): void => {
  child.stdin?.on('error', () => {}).write('go\n')
}

/** Starts a run, kills it at most `left` times, and resumes it until it ends. Returns the number of kills. */
async function survive(out: string, left: number, whole: number): Promise<number> {
  let killed = 0
  for (;;) {
    const training = await prepare(out, killed === 0 ? 'start' : 'resume')
    go(training)
    if (killed < left) {
      if (random() < 0.7) await training.started // otherwise during the start of the process
      await sleep(random() * whole * 0.2)
      training.child.kill('SIGKILL')
    }
    const { code, message } = await training.ended
    if (code === 0) return killed
    if (code !== null) {
      problems.push(`${out} after ${killed} kills: ${message}`)
      return killed
    }
    killed++
  }
}

/** Reports differences from the uninterrupted run, and damaged or left-over files. */
async function check(out: string): Promise<void> {
  const damaged = [
    ...((await checkFiles(out)) ?? [{ name: 'hashes.json', problem: 'missing' }]),
    ...(await checkpointProblems(out)).map(({ path, problem }) => ({ name: path, problem })),
  ].filter(({ problem }) => problem !== undefined)
  for (const { name, problem } of damaged) problems.push(`${out}: ${name}: ${problem}`)
  if (!weightsOf(out).equals(weightsOf(reference))) problems.push(`${out}: other weights`)
  if (metricsOf(out) !== metricsOf(reference)) problems.push(`${out}: other metrics`)
  const names = readdirSync(out, { recursive: true }).map(String)
  const left = names.filter((name) => /(^|\/)\./.test(name))
  if (left.length > 0) problems.push(`${out}: left over: ${left.join(', ')}`)
}

const weightsOf = (run: string): Buffer => readFileSync(join(run, 'model.safetensors'))

/** The metrics of a run, without times. */
const metricsOf = (run: string): string =>
  withoutMeasured(readFileSync(join(run, 'metrics.jsonl'), 'utf8'))

/** Runs two processes simultaneously in a folder that `before` has prepared. */
async function race(out: string, way: 'start' | 'resume'): Promise<void> {
  const both = await Promise.all([prepare(out, way), prepare(out, way)])
  for (const training of both) go(training)
  const ends = await Promise.all(both.map(({ ended }) => ended))
  const refused = ends.filter(({ code }) => code === 2)
  const clear = refused.every(({ message }) => /is in use by process \d+/.test(message))
  if (ends.filter(({ code }) => code === 0).length !== 1 || refused.length !== 1 || !clear)
    problems.push(`${out}: ${JSON.stringify(ends)}`)
}

writeFileSync(text, 'the cat sat on the mat and the dog ran after it. '.repeat(200))
const reference = join(folder, 'whole')
const first = await prepare(reference, 'start')
const begun = performance.now()
go(first)
const { code, message } = await first.ended
const whole = performance.now() - begun
if (code !== 0) throw new Error(message)
console.log(`A whole run takes ${(whole / 1000).toFixed(1)} s. Seed ${seed}.`)

let [killed, runs] = [0, 0]
while (killed < kills) {
  const out = join(folder, `killed-${runs++}`)
  killed += await survive(out, Math.min(12, kills - killed), whole)
  await check(out)
  rmSync(out, { recursive: true })
}
console.log(`${killed} kills in ${runs} runs`)

for (let i = 0; i < races; i++) {
  const out = join(folder, `start-${i}`)
  await race(out, 'start')
  await check(out)
}
console.log(`${races} times two simultaneous starts`)

const halfway = join(folder, 'halfway')
const stopped = await prepare(halfway, 'start')
go(stopped)
await stopped.started
await sleep(whole * 0.4)
stopped.child.kill('SIGKILL') // which leaves its lock
await stopped.ended
for (let i = 0; i < races; i++) {
  const out = join(folder, `resume-${i}`)
  cpSync(halfway, out, { recursive: true })
  await race(out, 'resume')
  await check(out)
}
console.log(`${races} times two simultaneous resumes`)

for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? 'Nothing was lost.' : `${problems.length} problems`)
rmSync(folder, { recursive: true })
process.exitCode = problems.length === 0 ? 0 : 1
