// Fuzzes all readers of files in Heed with randomly changed valid files. A reader must open a file or throw a HeedError,
// within a time limit, with memory in proportion to the file, and must not change any prototype.
//
//   npm run fuzz -- --seconds 60 --only parquet,csv --seed 7
//   npm run fuzz -- --replay FOLDER      (reads a saved input again)
//
// Input number N of a reader depends only on the seed. Findings are saved in --out with a description.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeInput, packed } from './fuzz/input.ts'
import { readers } from './fuzz/readers.ts'
import { ReadingProcess } from './fuzz/reading-process.ts'
import type { Problem } from './fuzz/worker.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    only: { type: 'string' },
    out: { type: 'string', default: 'runs/fuzz' },
    replay: { type: 'string' },
  },
})

/** Milliseconds for one input. A machine that is busy with other work is not a hang: inputs are read twice. */
const LIMIT = 5000
/** Milliseconds of one reader before the next one has its turn. */
const TURN = 10_000

interface Count {
  inputs: number
  opened: number
  findings: number
  milliseconds: number
  slowest: number
}

const scratch = mkdtempSync(join(tmpdir(), 'heed-fuzz-'))
async function fuzz(): Promise<number> {
  const seed = Number(options.seed)
  const names = options.only?.split(',') ?? readers.map(({ name }) => name)
  const strange = names.find((name) => !readers.some((reader) => reader.name === name))
  if (strange) {
    console.error(`--only must name readers, got ${strange}: ${readers.map(({ name }) => name).join(' ')}`) // biome-ignore format: one line
    return 2
  }
  console.log(`Seed ${seed}, ${options.seconds} s for ${names.length} readers.`)
  const total = 1000 * Number(options.seconds)
  const end = performance.now() + total
  const reading = new ReadingProcess(scratch, LIMIT)
  const counts = new Map<string, Count>()
  const next = new Map(names.map((name) => [name, Number(options.from)]))
  const seen = new Set<string>()
  const turn = Math.min(TURN, total / names.length)
  // A turn may end late by the time of its last input; the last round is shortened.
  while (performance.now() < end || counts.size < names.length) {
    for (const name of names) {
      if (counts.size === names.length && performance.now() >= end) break
      const from = next.get(name) ?? 0
      const started = performance.now()
      const milliseconds = Math.max(50, Math.min(turn, (end - started) / unseen(names, counts)))
      const answer = await reading.ask({ task: 'read', reader: name, seed, from, milliseconds })
      next.set(name, answer.next)
      const count = counts.get(name) ?? emptyCount()
      counts.set(name, count)
      count.inputs += answer.next - from
      count.opened += answer.opened
      count.milliseconds += performance.now() - started
      count.slowest = Math.max(count.slowest, answer.slowest)
      for (const { index, problem } of answer.problems)
        if (await report(name, seed, index, problem, seen)) count.findings++
      progress(end, name, counts)
    }
  }
  reading.end()
  if (process.stdout.isTTY) process.stdout.write('\r\x1b[K')
  return printCounts(counts)
}

/** Readers that have not had a turn yet share the remaining time. */
const unseen = (names: readonly string[], counts: ReadonlyMap<string, Count>): number =>
  Math.max(1, names.length - counts.size)

const emptyCount = (): Count => ({ inputs: 0, opened: 0, findings: 0, milliseconds: 0, slowest: 0 })

/** Saves and prints a finding, unless there was one at the same place; returns whether it is new. */
async function report(
  name: string,
  seed: number,
  index: number,
  problem: Problem,
  seen: Set<string>,
): Promise<boolean> {
  const key = `${name} ${problem.kind} ${problem.place}`
  const isKnown = seen.has(key)
  if (isKnown && problem.kind === 'exception') return true
  const folder = save(name, seed, index, problem)
  const again = await readAgain(name, folder)
  if (!again && UNSURE.includes(problem.kind)) {
    rmSync(folder, { recursive: true })
    return false
  }
  if (isKnown) rmSync(folder, { recursive: true })
  else {
    const { kind, message, place } = again ?? problem
    const alone = again ? '' : ' (not reproduced when read alone)'
    console.log(`\n${name}, input ${index}: ${kind}: ${message}${alone}\n  at ${place}`)
    console.log(`  npm run fuzz -- --replay ${folder}`)
  }
  seen.add(key)
  return true
}

/** Reads an input again on its own: time and memory may be due to earlier inputs or other processes. */
const UNSURE: readonly Problem['kind'][] = ['hang', 'memory']

function save(name: string, seed: number, index: number, problem: Problem): string {
  const reader = readers.find((each) => each.name === name)
  if (!reader) throw new Error(name)
  const samples = reader.samples()
  const { sample, path, bytes } = makeInput(reader, samples, seed, index)
  const folder = join(options.out, `${name}-${seed}-${index}`)
  rmSync(folder, { recursive: true, force: true })
  for (const [file, content] of Object.entries(samples[sample].files)) {
    const target = join(folder, 'input', file)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, file === path ? bytes : packed(content))
  }
  const finding = { reader: name, seed, index, changed: path, ...problem }
  writeFileSync(join(folder, 'finding.json'), `${JSON.stringify(finding, null, 2)}\n`)
  return folder
}

/** Finds the problem with a saved input, which a separate process reads. */
async function readAgain(name: string, folder: string): Promise<Problem | undefined> {
  const work = join(scratch, 'again')
  mkdirSync(work, { recursive: true })
  cpSync(join(folder, 'input'), join(work, 'input'), { recursive: true })
  const reading = new ReadingProcess(work, 2 * LIMIT)
  try {
    const { problems } = await reading.ask({ task: 'replay', reader: name, folder: join(work, 'input') }) // biome-ignore format: one line
    return problems[0]?.problem
  } finally {
    reading.end()
    rmSync(work, { recursive: true })
  }
}

async function replayFolder(folder: string): Promise<number> {
  const finding = JSON.parse(readFileSync(join(folder, 'finding.json'), 'utf8'))
  const problem = await readAgain(finding.reader, folder)
  console.log(problem ? `${problem.kind}: ${problem.message}\n  at ${problem.place}` : 'No problem found.') // biome-ignore format: one line
  return problem ? 1 : 0
}

function progress(end: number, name: string, counts: ReadonlyMap<string, Count>): void {
  if (!process.stdout.isTTY) return
  const inputs = sum([...counts.values()].map((count) => count.inputs))
  const left = Math.max(0, (end - performance.now()) / 1000).toFixed(0)
  process.stdout.write(`\r\x1b[K${inputs.toLocaleString('en')} inputs, ${left} s left: ${name}`)
}

function printCounts(counts: ReadonlyMap<string, Count>): number {
  console.log(row('reader', 'inputs', 'opened', 'inputs/s', 'slowest ms', 'findings'))
  for (const [name, count] of counts)
    console.log(
      row(
        name,
        ...[count.inputs, count.opened, (1000 * count.inputs) / count.milliseconds, count.slowest, count.findings].map((n) => n.toFixed(0)), // biome-ignore format: one line
      ),
    )
  const all = [...counts.values()]
  const findings = sum(all.map((count) => count.findings))
  const inputs = sum(all.map((count) => count.inputs))
  console.log(`${inputs} inputs, ${findings} findings`)
  return findings > 0 ? 1 : 0
}

const row = (name: string, ...cells: readonly string[]): string =>
  name.padEnd(22) + cells.map((cell) => cell.padStart(11)).join('')

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

try {
  process.exitCode = options.replay ? await replayFolder(options.replay) : await fuzz()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
