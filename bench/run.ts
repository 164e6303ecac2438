// Heed against its peers, in alternation on the same machine:
//
//   npm run bench -- --peer torch --only sgemm,train --threads 1,2 --rounds 9 --quick --json FILE
//
// Each side is a process of its own. A round is one turn of each, after a probe of the machine: rounds in
// which two threads do less than 1.7 times the work of one are thrown away, because somebody else is
// using the machine. HEED_PYTHON names the Python that has PyTorch and NumPy.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Case, cases, type Peer } from './cases.ts'
import { type Machine, machineOf } from './machine.ts'
import { groupLines, headings, type Result, resultOf, rowOf, type Timed } from './report.ts'
import { Side } from './side.ts'

const { values } = parseArgs({
  options: {
    peer: { type: 'string', multiple: true },
    only: { type: 'string' },
    threads: { type: 'string', default: '1,2' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string', default: 'build/bench/results.json' },
    list: { type: 'boolean', default: false },
  },
})

const SCALING = 1.7 // of two threads, from which on a round counts
const REST = 30 // ms between turns: the threads of the side before go to sleep
const rounds = Number(values.rounds ?? (values.quick ? 3 : 9))
const turnMs = values.quick ? 60 : 150
const wanted = values.only?.split(',') ?? ['']
const chosen = cases.filter(({ name }) => wanted.some((part) => name.includes(part)))
if (values.list || chosen.length === 0) {
  console.log(cases.map(({ name }) => name).join('\n'))
  process.exit(chosen.length > 0 ? 0 : 2)
}

const missing = new Set<string>()
const results: Result[] = []
const probing = await Side.start('heed', 2)
if (!probing) throw new Error('Heed itself does not run')
const machine: Machine = await machineOf(probing)
console.log(`${machine.description}\n\n${headings}`)

for (const threads of values.threads.split(',').map(Number)) {
  const sides = new Map<string, Side | null>()
  for (const [i, which] of chosen.entries()) {
    if (which.threads && !which.threads.includes(threads)) continue
    const result = await compare(which, threads, sides)
    if (result) {
      results.push(result)
      console.log(rowOf(result))
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
mkdirSync(dirname(values.json), { recursive: true })
writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`)
console.log(`Written to ${values.json}`)

async function compare(
  which: Case,
  threads: number,
  sides: Map<string, Side | null>,
): Promise<Result | null> {
  const asked = which.peers.filter((peer) => !missing.has(peer) && isWanted(peer))
  const names = ['heed', ...asked.filter((peer) => !isCeiling(peer))]
  for (const name of names) if (!sides.has(name)) sides.set(name, await Side.start(name, threads))
  for (const name of names) if (!sides.get(name)) missing.add(name)
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
      const bandwidth = await (sides.get('heed') as Side).ask<Record<string, number>>({
        probe: threads,
        bandwidth: true,
      })
      const rate = bandwidth?.[ceiling] ?? Number.NaN
      timed.find(({ name }) => name === ceiling)?.ms.push(((which.bytes ?? 0) / rate) * 1000)
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
  return peer === 'read' || peer === 'readWrite'
}

function isWanted(peer: Peer): boolean {
  return isCeiling(peer) || !values.peer || values.peer.includes(peer)
}

async function stop(sides: Map<string, Side | null>): Promise<void> {
  await Promise.all([...sides.values()].map((side) => side?.end()))
  sides.clear()
}
