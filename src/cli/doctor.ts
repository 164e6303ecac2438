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
  const { addon, reason } = loadAddon()
  if (addon) {
    const { isa, threads } = new CpuDevice()
    console.log(
      `${good} cpu        native kernels: ${isa}, ${threads} threads (also: ${addon.isas.filter((x) => x !== isa).join(', ')})`,
    )
  } else {
    console.log(`${bad} cpu        ${reason}`)
    console.log(
      '             Building it needs a C++ compiler: apt install g++, or xcode-select --install.',
    )
  }
  console.log(wasmLine(good, bad))
  console.log(`${good} reference  plain TypeScript: slow, for verification`)
  console.log(
    `\nComputing on: ${pc.bold(defaultDevice().name)} (set HEED_DEVICE, HEED_ISA or HEED_THREADS to change it)`,
  )
}

function wasmLine(good: string, bad: string): string {
  try {
    const { isa, threads } = new WasmDevice()
    return `${good} wasm       the same kernels as WebAssembly, slower: ${isa}, ${threads} threads`
  } catch (error) {
    return `${bad} wasm       ${(error as Error).message}`
  }
}
