import { availableParallelism, cpus, freemem, totalmem } from 'node:os'
import { Command } from 'commander'
import pc from 'picocolors'
import { loadAddon } from '../runtime/cpu/addon.ts'
import { CpuDevice } from '../runtime/cpu/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { WasmDevice } from '../runtime/wasm/device.ts'
import { formatBytes } from '../util/format.ts'
import { version } from '../util/version.ts'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Show which devices work on this machine, what is missing, and how to install it.')
    .action(doctor)
}

async function doctor(): Promise<void> {
  const good = pc.green('✓')
  const bad = pc.yellow('!')
  console.log(`heed ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`)
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${formatBytes(freemem())} of ${formatBytes(totalmem())} free\n`,
  )
  console.log(cpuLines(good, bad).join(`\n${' '.repeat(13)}`))
  console.log(wasmLine(good, bad))
  console.log(`${good} reference  plain TypeScript: slow, for verification`)
  console.log(
    `\nComputing on: ${pc.bold(defaultDevice().name)} (set HEED_DEVICE, HEED_ISA or HEED_THREADS to change it)`,
  )
}

function cpuLines(good: string, bad: string): string[] {
  const loaded = loadAddon()
  if (loaded.addon === null)
    return [
      `${bad} cpu        ${loaded.reason}`,
      'To compile it you need a C++ compiler: apt install g++, or xcode-select --install.',
    ]
  const { isa, threads } = new CpuDevice()
  const others = loaded.addon.isas.filter((name) => name !== isa)
  const also = others.length > 0 ? ` (also: ${others.join(', ')})` : ''
  return [
    `${good} cpu        native kernels: ${isa}, ${threads} threads${also}`,
    `${ORIGINS[loaded.origin]}: ${loaded.path}`,
    ...(loaded.addon.isas[0] === 'baseline'
      ? ['This processor has no AVX2: kernels run several times slower than with it.']
      : []),
  ]
}

const ORIGINS = {
  HEED_ADDON: 'the addon that HEED_ADDON names',
  built: 'the addon that was compiled here',
  prebuilt: 'the addon that npm installed',
} as const

function wasmLine(good: string, bad: string): string {
  try {
    const { isa, threads } = new WasmDevice()
    return `${good} wasm       the same kernels as WebAssembly, slower: ${isa}, ${threads} threads`
  } catch (error) {
    return `${bad} wasm       ${(error as Error).message}`
  }
}
