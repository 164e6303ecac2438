// Heed against its peers, in alternation on the same machine:
//
//   npm run bench -- --peer torch --only sgemm,train --threads 1,2 --rounds 9 --quick
//   npm run bench -- --markdown bench/RESULTS.md        (writes down what has been measured so far)
//
// Each side is a process of its own. A round is one turn of each, after a probe of the machine: rounds in
// which two threads do less than 1.7 times the work of one are thrown away, because somebody else is
// using the machine. HEED_PYTHON names the Python that has PyTorch and NumPy;
// peers from npm are found when `npm install --prefix build/bench NAME` has put them there. Rows are added to
// build/bench/results.json, in place of older ones of the same case.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Case, cases, type Peer } from './cases.ts'
import { machineOf } from './machine.ts'
import { markdownOf } from './markdown.ts'
import {
  apartLines,
  cellsOf,
  groupLines,
  headings,
  mergeReport,
  type Result,
  readReport,
  resultOf,
  type Timed,
} from './report.ts'
import { Side } from './side.ts'

const { values } = parseArgs({
  options: {
    peer: { type: 'string', multiple: true },
    only: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'build/bench/results.json' },
    markdown: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

const SCALING = 1.7 // of two threads, from which on a round counts
const REST = 30 // ms between turns: the threads of the side before go to sleep
const rounds = Number(values.rounds ?? (values.quick ? 7 : 11))
const turnMs = values.quick ? 40 : 150
const wanted = values.only?.split(',') ?? ['']
const chosen = cases.filter(({ name }) => wanted.some((part) => name.includes(part)))
if (values.list || chosen.length === 0) {
  console.log(cases.map(({ name }) => name).join('\n'))
  process.exit(chosen.length > 0 ? 0 : 2)
}

if (values.markdown) {
  const report = readReport(values.json)
  if (!report) throw new Error(`${values.json} is not there: measure first`)
  const before = existsSync(values.markdown) ? readFileSync(values.markdown, 'utf8') : ''
  writeFileSync(values.markdown, markdownOf(report, before))
  process.exit()
}

const missing = new Set<string>()
const results: Result[] = []
const probing = await Side.start('heed', 2)
if (!probing) throw new Error('Heed itself does not run')
const machine = await machineOf(probing)
console.log(`${machine.description}\n\n${columns(headings)}`)

for (const threads of values.threads.split(',').map(Number)) {
  const sides = new Map<string, Side | null>()
  for (const [i, which] of chosen.entries()) {
    if (which.threads && !which.threads.includes(threads)) continue
    const result = await compare(which, threads, sides)
    if (result) {
      results.push(result)
      save()
      console.log([columns(cellsOf(result)), ...apartLines(result, which)].join('\n'))
    }
    // A process that stays shares its warm-up with the next case; its peak memory is of both.
    if (chosen[i + 1]?.family === which.family && which.family === 'matmul') continue
    await stop(sides)
  }
  await stop(sides)
}
await probing.end()

console.log(groupLines(results, cases).join('\n'))
if (missing.size > 0)
  console.log(`Skipped, because they do not run here: ${[...missing].join(', ')}`)
console.log(`Written to ${values.json}`)

/** After each row: a run that is ended early keeps what it has measured. */
function save(): void {
  mkdirSync(dirname(values.json), { recursive: true })
  const report = mergeReport(readReport(values.json), { machine, results })
  writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`)
}

async function compare(
  which: Case,
  threads: number,
  sides: Map<string, Side | null>,
): Promise<Result | null> {
  const heed = which.device === 'wasm' ? 'heed wasm' : 'heed'
  const apart = (which.apart ?? []).filter((peer) => values.peer?.includes(peer))
  const judged = which.peers.filter(isWanted)
  const asked = [...judged, ...apart].filter((peer) => !missing.has(peer))
  const names: string[] = [heed, ...asked.filter((peer) => !isCeiling(peer))]
  for (const name of names) if (!sides.has(name)) sides.set(name, await Side.start(name, threads))
  for (const name of names)
    if (!sides.get(name) && !missing.has(name)) {
      missing.add(name)
      console.log(`${name} does not run here: rows go without it`)
    }
  const running = names.flatMap((name) => sides.get(name) ?? [])
  const ceilings = asked.filter(isCeiling)

  const timed: Timed[] = [...running.map(({ name }) => name), ...ceilings].map((name) => ({
    name,
    version: sides.get(name)?.version ?? '',
    ms: [],
    peakBytes: 0,
  }))
  for (const side of running) await side.turn(which, turnMs) // warm-up
  let dropped = 0
  for (let round = 0; round < rounds; ) {
    const scaling = threads > 1 ? await scalingOf(probing as Side) : 2
    if (scaling < SCALING && dropped < 3 * rounds) {
      dropped++
      await sleep(200)
      continue
    }
    round++
    for (const side of running) {
      const { ms, peakBytes } = await side.turn(which, turnMs)
      const mine = timed.find(({ name }) => name === side.name) as Timed
      mine.ms.push(ms)
      mine.peakBytes = peakBytes
      await sleep(REST)
    }
    for (const ceiling of ceilings) {
      const rates = await (sides.get(heed) as Side).ask<Record<string, number>>({
        probe: threads,
        bandwidth: true,
      })
      const amount = (ceiling === 'flops' ? which.flops : which.bytes) ?? Number.NaN
      const rate = rates?.[ceiling] ?? Number.NaN
      timed.find(({ name }) => name === ceiling)?.ms.push((amount / rate) * 1000)
    }
  }
  return resultOf(which, threads, timed, dropped)
}

async function scalingOf(side: Side): Promise<number> {
  const one = await side.ask<{ flops: number }>({ probe: 1 })
  const two = await side.ask<{ flops: number }>({ probe: 2 })
  return (two?.flops ?? 0) / (one?.flops ?? 1)
}

function isCeiling(peer: Peer): boolean {
  return peer === 'flops' || peer === 'read' || peer === 'readWrite'
}

function isWanted(peer: Peer): boolean {
  return isCeiling(peer) || !values.peer || values.peer.includes(peer)
}

function columns(cells: readonly string[]): string {
  const widths = [37, 7, 10, 8, 22, 6, 13, 6, 12, 0]
  return cells
    .map((cell, i) => cell.padEnd(widths[i]))
    .join(' ')
    .trimEnd()
}

async function stop(sides: Map<string, Side | null>): Promise<void> {
  await Promise.all([...sides.values()].map((side) => side?.end()))
  sides.clear()
}
