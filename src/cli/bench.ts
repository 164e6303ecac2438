// Measures the speed of training and decoding on this machine, and the time of each kernel.
import { writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { fileError } from '../io/files/file-error.ts'
import { chromeTrace } from '../runtime/chrome-trace.ts'
import { CpuDevice } from '../runtime/cpu/device.ts'
import { probe } from '../runtime/cpu/probe.ts'
import type { KernelTime } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { profile } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { formatBytes } from '../util/format.ts'
import { version } from '../util/version.ts'
import { benchSize, PRESETS, type Size, WARM_UP } from './bench-size.ts'
import { decoding, gpt, training, type Work } from './bench-work.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { boundOf, type Ceilings, profileRows, profileTable, showBound } from './profile-table.ts'
import { milliseconds, short } from './text.ts'

/** Number of rows that a table shows without --all. */
const SHOWN = 20

interface Flags extends Partial<Size> {
  steps: number
  profile?: boolean
  trace?: string
  all?: boolean
}

export function benchCommand(): Command {
  const command = new Command('bench')
    .description(
      'Measure the speed of training and decoding on this machine, and the time of each kernel.',
    )
    .argument('[preset]', `size of the GPT model: ${Object.keys(PRESETS).join(', ')}`, 'nanogpt')
  const sizes: Record<keyof Size, string> = {
    layers: 'number of transformer blocks',
    heads: 'number of attention heads per block',
    dim: 'width of the residual stream',
    context: 'context length in tokens',
    batch: 'number of sequences in a training step',
    vocab: 'number of tokens in the vocabulary',
  }
  for (const [key, text] of Object.entries(sizes))
    command.option(`--${key} <number>`, `${text}; overrides the preset`, positive)
  command
    .option('--steps <number>', 'number of measured steps, after two warm-up steps', positive, 10)
    .option(
      '--profile',
      'show the time of each kernel by module, as a share and against its ceiling',
    )
    .option('--all', 'show all rows of the --profile table')
    .option('--trace <file>', 'write one step of each kind as a Chrome trace (for ui.perfetto.dev)')
    .action(bench)
  return addExamples(
    command,
    'nothing',
    ['npx heed bench small --steps 5'],
    [
      'npx heed bench gpt2 --profile',
      'npx heed bench small --layers 8 --batch 32 --trace trace.json',
      'HEED_THREADS=1 npx heed bench nanogpt',
    ],
  )
}

async function bench(preset: string, flags: Flags): Promise<void> {
  const { steps, profile: table, all, trace, ...given } = flags
  const size = benchSize(preset, given, steps)
  const device = defaultDevice()
  const native = device instanceof CpuDevice ? device : null
  if (!native && (table || trace))
    throw new HeedError('unsupported', `The ${device.name} device does not time its kernels`, {
      remedy: 'Omit --profile and --trace. `heed doctor` shows how to install the cpu device.',
    })
  const model = gpt(size)
  const parameters = model.parameters().reduce((n, p) => n + p.size, 0)
  const { layers, dim, context, batch, vocab } = size
  console.log(
    `${pc.bold(preset)}: ${layers} layers x ${dim}, context ${context}, batch ${batch}, vocabulary ${vocab}, ${short(parameters)} parameters`,
  )
  const ceilings = native && (await probe(native))
  native?.addon.resetPeak()
  console.log(
    `heed ${version} on ${native ? machine(native, ceilings as Ceilings) : device.name}\n`,
  )

  const traced: KernelTime[] = []
  for (const work of [training(model, size), decoding(model, size)]) {
    const ms = await timed(work, steps)
    const times = native ? await profiled(work, steps) : []
    console.log(pc.bold(work.name.padEnd(14)) + speed(work, ms, steps, times, ceilings))
    const runs = (traced.at(-1)?.run ?? -1) + 1
    const last = times.slice((times.length / steps) * (steps - 1))
    traced.push(...last.map((time) => ({ ...time, run: time.run - last[0].run + runs })))
    if (!table || !ceilings) continue
    const rows = profileRows(times, ceilings)
    console.log(profileTable(rows, steps, all ? rows.length : SHOWN).join('\n'))
    console.log(pc.dim(outside(ms, times, steps)))
  }
  const { peak } = device.memory()
  console.log(`peak memory   ${formatBytes(peak)} of tensors`)
  if (trace) await save(trace, traced)
}

/** Median milliseconds of a step. */
async function timed(work: Work, steps: number): Promise<number> {
  await work.prepare(WARM_UP + steps)
  for (let i = 0; i < WARM_UP; i++) await work.step()
  const times: number[] = []
  for (let i = 0; i < steps; i++) {
    const start = performance.now()
    await work.step()
    times.push(performance.now() - start)
  }
  return times.toSorted((a, b) => a - b)[steps >> 1]
}

async function profiled(work: Work, steps: number): Promise<KernelTime[]> {
  await work.prepare(steps)
  return profile(async () => {
    for (let i = 0; i < steps; i++) await work.step()
  })
}

function machine(device: CpuDevice, ceilings: Ceilings): string {
  const giga = (rate: number): string => (rate / 1e9).toPrecision(3)
  const { isa, threads } = device
  return `${device.name} (${isa}, ${threads} threads); peak: ${giga(ceilings.flops)} GFLOP/s, ${giga(ceilings.read)} GB/s read, ${giga(ceilings.readWrite)} GB/s read and written`
}

function speed(
  { tokens }: Work,
  ms: number,
  steps: number,
  times: KernelTime[],
  ceilings: Ceilings | null,
): string {
  const line = `${milliseconds(ms)}, ${short((tokens * 1000) / ms)} tokens/s`
  const known = times.filter(({ cost }) => cost)
  const bound = ceilings && boundOf(known, ms * steps * 1000, ceilings)
  return bound ? `${line}, ${showBound(bound)} of the ceiling` : line
}

/** The time of the host: the difference between a step and its kernels. */
function outside(ms: number, times: KernelTime[], steps: number): string {
  const kernels = times.reduce((sum, { micros }) => sum + micros, 0) / 1000 / steps
  return `${milliseconds(Math.max(0, ms - kernels))} of a step outside kernels\n`
}

async function save(path: string, times: readonly KernelTime[]): Promise<void> {
  try {
    await writeFile(path, JSON.stringify(chromeTrace(times)))
  } catch (error) {
    throw fileError(error, 'write the trace', path)
  }
  console.log(`trace         ${path} (open it at https://ui.perfetto.dev or chrome://tracing)`)
}
