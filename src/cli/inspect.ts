import { join } from 'node:path'
import { Command } from 'commander'
import pc from 'picocolors'
import { isGGUF } from '../io/gguf.ts'
import { modelFolder, readConfig } from '../io/hf.ts'
import { openSafetensors, type Safetensors } from '../io/safetensors.ts'
import { formatBytes } from '../util/format.ts'
import { short } from './text.ts'

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('What a model holds: architecture, parameters by module, dtypes, memory.')
    .argument('<model>', 'a run, any Hugging Face folder of a model, or a GGUF file')
    .option('--all', 'list every tensor')
    .addHelpText(
      'after',
      '\nExamples:\n  $ heed inspect runs/moby-dick\n  $ heed inspect model.gguf',
    )
    .action(inspect)
}

async function inspect(dir: string, { all = false }: { all?: boolean }): Promise<void> {
  if (isGGUF(dir)) return (await import('./inspect-gguf.ts')).inspectGGUF(dir, { all })
  const config = await readConfig(dir)
  const { weights } = await modelFolder(dir)
  const file = await openSafetensors(weights)
  try {
    const tensors = file.names.map((name) => ({ name, info: file.info(name) }))
    const parameters = tensors.reduce((n, { info }) => n + sizeOf(info), 0)
    console.log(`${pc.bold(config.model_type)}  ${join(dir)}`)
    console.log(settings(config))
    console.log(
      `\n${pc.bold(short(parameters))} parameters (${parameters}) in ${tensors.length} tensors`,
    )
    console.log(dtypes(tensors.map((t) => t.info)))
    console.log(
      `${formatBytes(parameters * 4)} in memory as f32, ${formatBytes(parameters * 16)} in training with AdamW (weights, gradients, two moments), and the activations\n`,
    )
    if (all)
      for (const { name, info } of tensors)
        console.log(
          `${String(sizeOf(info)).padStart(12)}  ${info.dtype.padEnd(5)} (${info.shape.join(', ')})  ${name}`,
        )
    else for (const line of byModule(tensors)) console.log(line)
  } finally {
    await file.close()
  }
}

type TensorInfo = ReturnType<Safetensors['info']>

const sizeOf = ({ shape }: TensorInfo): number => shape.reduce((n, size) => n * size, 1)

const settings = (config: Record<string, unknown>): string =>
  Object.entries(config)
    .filter(([, value]) => typeof value === 'number' || typeof value === 'string')
    .filter(([key]) => key !== 'model_type')
    .map(([key, value]) => `${pc.dim(key)} ${value}`)
    .join('  ')

function dtypes(infos: TensorInfo[]): string {
  const count = new Map<string, number>()
  for (const info of infos) count.set(info.dtype, (count.get(info.dtype) ?? 0) + sizeOf(info))
  return [...count].map(([dtype, n]) => `${dtype}: ${short(n)}`).join(', ')
}

/** Sums by module, with numbered siblings counted together: `h.*.attn`. */
function byModule(tensors: { name: string; info: TensorInfo }[]): string[] {
  const sums = new Map<string, { size: number; count: number }>()
  let total = 0
  for (const { name, info } of tensors) {
    const module = name.replace(/\.(weight|bias)$/, '').replace(/\.\d+\./g, '.*.')
    const sum = sums.get(module) ?? { size: 0, count: 0 }
    sums.set(module, { size: sum.size + sizeOf(info), count: sum.count + 1 })
    total += sizeOf(info)
  }
  const width = Math.max(...[...sums.keys()].map((name) => name.length))
  return [...sums].map(([name, { size, count }]) => {
    const share = `${((100 * size) / total).toFixed(1)} %`
    return `${name.padEnd(width)}  ${short(size).padStart(8)}  ${share.padStart(7)}  ${pc.dim(`${count} tensors`)}`
  })
}
