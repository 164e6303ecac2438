// Compares Heed with its peers, in alternation on the same machine:
//
//   npm run bench -- --peer torch --only sgemm,train --threads 1,2 --rounds 9 --quick
//   npm run bench -- --markdown bench/RESULTS.md        (writes all results so far)
//
//   npm run bench -- --against ../before --quick        (compares with another build: see against.ts)
//
// Each side is a separate process. A round is one turn of each side, after a probe of the machine. Rounds in which two
// threads do less than 1.7 times the work of one are dropped, because other processes are using the machine. HEED_PYTHON
// names the Python that has PyTorch and NumPy. Peers from npm must be installed with
// `npm install --prefix build/bench NAME`. Rows are added to build/bench/results.json and replace older rows of the same
// case.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareBuilds } from './against.ts'
import { type Case, cases, type Peer } from './cases.ts'
import { machineOf, REST, ScalingProbe } from './machine.ts'
import { markdownOf } from './markdown.ts'
import {
  apartLines,
  cellsOf,
  columns,
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
    json: { type: 'string' },
    markdown: { type: 'string' },
    against: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

const rounds = Number(values.rounds ?? (values.quick ? 7 : 11))
const turnMs = values.quick ? 40 : 150
const threadCounts = values.threads.split(',').map(Number)
const json = values.json ?? `build/bench/${values.against ? 'against' : 'results'}.json`
const wanted = values.only?.split(',') ?? ['']
const chosen = cases.filter(({ name }) => wanted.some((part) => name.includes(part)))
if (values.list || chosen.length === 0) {
  console.log(cases.map(({ name }) => name).join('\n'))
  process.exit(chosen.length > 0 ? 0 : 2)
}

if (values.against) {
  const slower = await compareBuilds({
    other: values.against,
    cases: chosen,
    threads: threadCounts,
    rounds,
    turnMs,
    json,
  })
  process.exit(slower.length > 0 ? 1 : 0)
}

if (values.markdown) {
  const report = readReport(json)
  if (!report) throw new Error(`${json} does not exist. Run the benchmark first`)
  const before = existsSync(values.markdown) ? readFileSync(values.markdown, 'utf8') : ''
  writeFileSync(values.markdown, markdownOf(report, before))
  process.exit()
}

const missing = new Set<string>()
const results: Result[] = []
const widths = [37, 7, 10, 8, 22, 6, 13, 6, 12, 0]
const probe = await ScalingProbe.start()
const machine = await machineOf(probe.side)
console.log(`${machine.description}\n\n${columns(headings, widths)}`)

for (const threads of threadCounts) {
  const sides = new Map<string, Side | null>()
  for (const [i, which] of chosen.entries()) {
    if (which.threads && !which.threads.includes(threads)) continue
    const result = await compare(which, threads, sides)
    if (result) {
      results.push(result)
      save()
      console.log([columns(cellsOf(result), widths), ...apartLines(result, which)].join('\n'))
    }
    // A process that stays shares its warm-up with the next case; its peak memory is of both.
    if (chosen[i + 1]?.family === which.family && which.family === 'matmul') continue
    await stop(sides)
  }
  await stop(sides)
}
await probe.end()

console.log(groupLines(results, cases).join('\n'))
if (missing.size > 0)
  console.log(`Skipped, because they do not run on this machine: ${[...missing].join(', ')}`)
console.log(`Written to ${json}`)

/** Called after each row, so that an interrupted run keeps its results. */
function save(): void {
  mkdirSync(dirname(json), { recursive: true })
  const report = mergeReport(readReport(json), { machine, results })
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
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
      console.log(`${name} does not run on this machine; rows are measured without it`)
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
  for (let round = 0; round < rounds; round++) {
    dropped += await probe.waitForQuiet(threads, 3 * rounds - dropped)
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

function isCeiling(peer: Peer): boolean {
  return peer === 'flops' || peer === 'read' || peer === 'readWrite'
}

function isWanted(peer: Peer): boolean {
  return isCeiling(peer) || !values.peer || values.peer.includes(peer)
}

async function stop(sides: Map<string, Side | null>): Promise<void> {
  await Promise.all([...sides.values()].map((side) => side?.end()))
  sides.clear()
}
