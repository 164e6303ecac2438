// Heed's side: reads one request per line and answers with one line. See bench/side.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { defaultDevice, synchronize } from '../../src/index.ts'
import type { CpuDevice } from '../../src/runtime/cpu/device.ts'
import { families, type Params, type Workload } from './heed-families.ts'

interface Question {
  hello?: number
  /** The ceilings of the machine for a number of threads: all of them, or only those of arithmetic. */
  probe?: number
  bandwidth?: boolean
  family?: string
  params?: Params
  ms?: number
}

/** The addon of the running build, which may be another build: see other-build.mjs. */
const root = process.env.HEED_AGAINST ?? fileURLToPath(new URL('../../', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

let current: { key: string; workload: Workload } | null = null

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).catch((error) => ({ error: error.message }))
  console.log(JSON.stringify(said))
}

async function answer(question: Question): Promise<object> {
  const device = defaultDevice() as CpuDevice
  if (question.hello)
    return { version: `${version} (Node ${process.versions.node}, ${device.isa})` }
  if (question.probe) return probeMachine(device, question.probe, question.bandwidth)
  const { family = '', params = {}, ms = 100 } = question
  const key = `${family} ${JSON.stringify(params)}`
  if (current?.key !== key) {
    current = null
    current = { key, workload: await families[family](params) }
    await current.workload.run() // compiles
    await synchronize()
  }
  return { ms: await time(current.workload, ms), peakBytes: peakBytes() }
}

/** A separate import, because builds without sources do not have this module. */
async function probeMachine(device: CpuDevice, threads: number, all = false): Promise<object> {
  const { probe, probeMultiplyAdds } = await import('../../src/runtime/cpu/probe.ts')
  if (all) return probe(device, threads)
  return { flops: await probeMultiplyAdds(device, threads, 20) }
}

async function time({ run, count }: Workload, ms: number): Promise<number> {
  const start = performance.now()
  let runs = 0
  let measured = 0 // time measured by the runs themselves
  const took = (): number => measured || performance.now() - start
  do {
    const said = await run()
    if (typeof said === 'number') measured += said
    runs++
  } while (took() < ms)
  await synchronize()
  return took() / (runs * count)
}

/** The peak resident memory of this process. */
function peakBytes(): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
  return found ? Number(found[1]) * 1024 : process.memoryUsage().rss
}
