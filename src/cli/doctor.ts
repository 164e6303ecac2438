import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { Command } from 'commander'
import { type LoadedAddon, loadAddon } from '../runtime/cpu/addon.ts'
import { CpuDevice } from '../runtime/cpu/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { WasmDevice } from '../runtime/wasm/device.ts'
import { formatBytes } from '../util/format.ts'
import { version } from '../util/version.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description('Show which devices work on this machine and how to install missing ones.')
    .action(doctor)
  return addExamples(command, 'nothing', ['npx heed doctor'])
}

async function doctor(): Promise<void> {
  const good = pc.green('✓')
  const bad = pc.yellow('!')
  console.log(`heed ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`)
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${formatBytes(freemem())} of ${formatBytes(totalmem())} free\n`,
  )
  const loaded = loadAddon()
  const cpu = loaded.addon ? new CpuDevice() : null
  console.log(cpuLines(loaded, cpu, good, bad).join(`\n${' '.repeat(13)}`))
  console.log(wasmLine(good, bad))
  console.log(`${good} reference  plain TypeScript: slow, for verification`)
  const device = defaultDevice().name
  console.log(
    `\nComputing on: ${pc.bold(device)} (set HEED_DEVICE, HEED_ISA or HEED_THREADS to change it)`,
  )
  const advice = faster({ device, cpu, isas: loaded.addon?.isas ?? [] })
  for (const line of advice) console.log(`Faster: ${line}`)
}

function cpuLines(loaded: LoadedAddon, cpu: CpuDevice | null, good: string, bad: string): string[] {
  const ignored = loaded.ignored.map(
    ({ path, problem, remedy }) => `${path} is ignored: ${problem}. ${remedy}`,
  )
  if (loaded.addon === null || cpu === null) {
    const [first = '', ...rest] = ignored.length > 0 ? ignored : reasonOf(loaded)
    return [`${bad} cpu        ${first}`, ...rest]
  }
  const others = loaded.addon.isas.filter((name) => name !== cpu.isa)
  const also = others.length > 0 ? ` (also: ${others.join(', ')})` : ''
  return [
    `${good} cpu        native kernels: ${cpu.isa}, ${cpu.threads} threads${also}`,
    `${ORIGINS[loaded.origin]}: ${loaded.path}`,
    ...ignored,
  ]
}

const reasonOf = (loaded: LoadedAddon): string[] =>
  loaded.addon ? [] : [`${loaded.reason}. ${loaded.remedy}`, COMPILER]

const COMPILER = 'Compiling it requires a C++ compiler: apt install g++, or xcode-select --install.'

/** Descriptions of the addon, by its origin; origins are tried in this order. */
const ORIGINS = {
  HEED_ADDON: 'addon named by HEED_ADDON',
  built: 'addon compiled on this machine, which has precedence over a prebuilt addon',
  prebuilt: 'prebuilt addon; none was compiled on this machine',
} as const

/** Advice on how to compute faster on this machine. */
export function faster({
  device,
  cpu,
  isas,
  cores = availableParallelism(),
}: {
  device: string
  cpu: { isa: string; threads: number } | null
  isas: readonly string[]
  cores?: number
}): string[] {
  if (cpu === null) return ['native kernels, 3 to 8 times as fast (see cpu above).']
  const [best] = isas
  return [
    ...(device === 'cpu' ? [] : ['the device cpu: unset HEED_DEVICE.']),
    ...(cpu.isa === best ? [] : [`the instruction set ${best}: unset HEED_ISA.`]),
    ...(cpu.threads >= cores ? [] : [`${cores} threads: unset HEED_THREADS.`]),
    ...(best === 'baseline'
      ? [
          'a processor with AVX2, several times as fast; this one has none and runs the baseline kernels.',
        ]
      : []),
  ]
}

function wasmLine(good: string, bad: string): string {
  try {
    const { isa, threads } = new WasmDevice()
    return `${good} wasm       the same kernels as WebAssembly, slower: ${isa}, ${threads} threads`
  } catch (error) {
    return `${bad} wasm       ${(error as Error).message}`
  }
}
