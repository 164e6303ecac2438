// Compares this build of Heed with another build, in alternation: `npm run bench -- --against OTHER`. OTHER is a checkout
// with its addon built, for example a worktree of an earlier commit, or another addon for this checkout (a .node file, for
// example of `npm run prebuild`). Both sides run peers/heed-families.ts.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Case } from './cases.ts'
import { REST, ScalingProbe } from './machine.ts'
import { columns, showMs } from './report.ts'
import { Side } from './side.ts'
import { bootstrap, geometricMean, type Interval, median } from './statistics.ts'

export interface AgainstOptions {
  /** A checkout, or a native addon. */
  other: string
  cases: readonly Case[]
  threads: readonly number[]
  rounds: number
  turnMs: number
  json: string
}

/** Speed of this build relative to the other build. */
export interface Comparison {
  name: string
  threads: number
  /** Milliseconds in each round. */
  here: number[]
  there: number[]
  ratio: Interval & { median: number }
  slower: boolean
}

/** A row is slower if its whole interval is below this ratio. */
const TOLERATED = 0.98
const widths = [37, 7, 11, 11, 6, 13, 0]

/** Prints a row for each case. Resolves to the rows that are slower in this build. */
export async function compareBuilds(options: AgainstOptions): Promise<Comparison[]> {
  const other = resolve(options.other)
  const probe = await ScalingProbe.start()
  const rows: Comparison[] = []
  console.log(
    `Here ${commitOf('.')}, there ${other.endsWith('.node') ? 'the addon' : commitOf(other)} (${other})\n`,
  )
  console.log(columns(['case', 'threads', 'here', 'there', 'ratio', '95 %', ''], widths))
  for (const threads of options.threads)
    for (const which of options.cases) {
      if (which.threads && !which.threads.includes(threads)) continue
      const row = await compare(which, threads, { ...options, other }, probe)
      if (typeof row === 'string') {
        console.log(columns([which.name, String(threads), `not compared: ${row}`], widths))
        continue
      }
      rows.push(row)
      console.log(columns(cellsOf(row), widths))
      mkdirSync(dirname(options.json), { recursive: true })
      writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
    }
  await probe.end()
  const slower = rows.filter((row) => row.slower)
  const mean = geometricMean(rows.map(({ ratio }) => ratio.median))
  console.log(`\nGeometric mean of the ratios: ${mean.toFixed(3)}`)
  console.log(`${slower.length} of ${rows.length} rows are slower here. ${options.json} has all`)
  return slower
}

/** Computes a row from times that were measured in alternation. */
export function comparisonOf(
  name: string,
  threads: number,
  here: number[],
  there: number[],
): Comparison {
  const ratios = there.map((ms, i) => ms / here[i])
  const ratio = { median: median(ratios), ...bootstrap(ratios) }
  return { name, threads, here, there, ratio, slower: ratio.high < TOLERATED }
}

/** The reason if the other build cannot run a case: an older build may lack formats. */
async function compare(
  which: Case,
  threads: number,
  { other, rounds, turnMs }: AgainstOptions,
  probe: ScalingProbe,
): Promise<Comparison | string> {
  const name = which.device === 'wasm' ? 'heed wasm' : 'heed'
  const here = { side: await start(name, threads), times: [] as number[] }
  const there = { side: await start(name, threads, other), times: [] as number[] }
  const both = [here, there]
  await here.side.turn(which, turnMs) // warm-up
  const refused = await there.side.turn(which, turnMs).then(
    () => null,
    (error: Error) => error,
  )
  if (refused) {
    for (const { side } of both) await side.end()
    return refused.message
  }
  for (let round = 0; round < rounds; round++) {
    await probe.waitForQuiet(threads)
    for (const { side, times } of round % 2 === 0 ? both : both.toReversed()) {
      times.push((await side.turn(which, turnMs)).ms)
      await sleep(REST)
    }
  }
  for (const { side } of both) await side.end()
  return comparisonOf(which.name, threads, here.times, there.times)
}

async function start(name: string, threads: number, other?: string): Promise<Side> {
  const side = await Side.start(name, threads, other)
  if (side) return side
  throw new Error(`Heed in ${other ?? 'this folder'} does not run (HEED_DEBUG=1 shows why)`)
}

function cellsOf({ name, threads, here, there, ratio, slower }: Comparison): string[] {
  return [
    name,
    String(threads),
    showMs(median(here)),
    showMs(median(there)),
    ratio.median.toFixed(3),
    `${ratio.low.toFixed(3)} – ${ratio.high.toFixed(3)}`,
    slower ? 'SLOWER' : '',
  ]
}

/** The commit of a checkout; an unpacked package has none. */
function commitOf(directory: string): string {
  try {
    const args = ['-C', directory, 'describe', '--always', '--dirty']
    return execFileSync('git', args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'an unpacked package'
  }
}
