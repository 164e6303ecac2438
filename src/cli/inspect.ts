import { join } from 'node:path'
import { Command } from 'commander'
import { type AdapterSpec, adapterMethods } from '../adapt/index.ts'
import { savedSpec } from '../adapt/load.ts'
import { isAdapter, readPeftConfig } from '../adapt/peft.ts'
import { weightsIn } from '../adapt/peft-weights.ts'
import { fileFormat } from '../io/files/file-format.ts'
import { isFile } from '../io/files/is-file.ts'
import { modelFolder, type RawConfig, readConfig, readConfigFile } from '../io/hub/hf.ts'
import { openSafetensors, type Safetensors } from '../io/safetensors/safetensors.ts'
import {
  type Countable,
  headOf,
  modelClass,
  modelTypes,
  preset,
  presetNames,
} from '../models/index.ts'
import { readModelConfig } from '../models/weight-file.ts'
import { HeedError } from '../util/errors.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { printAdapter } from './inspect-adapter.ts'
import { printCount } from './inspect-count.ts'
import { positive } from './options.ts'
import { short } from './text.ts'

export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('Show the parameters, memory and FLOPs of a model by component.')
    .argument('[model]', 'the folder of a run or a model, a GGUF file, or a file of weights')
    .option('--config <file>', 'inspect the model of a config.json without allocating it')
    .option(
      '--preset <name>',
      `inspect a published model without its weights: ${presetNames().join(', ')}`,
    )
    .option(
      '--context <number>',
      'context length in tokens (default: the maximum of the model)',
      positive,
    )
    .option('--all', 'list every tensor')
    .option(
      '--adapter <spec>',
      `show what an adapter would train: METHOD:key=value,… with ${adapterMethods()
        .map(({ name }) => name)
        .join(', ')}`,
    )
    .action(inspect)
  return addExamples(
    command,
    'nothing',
    ['npx heed inspect --preset gpt3-175b'],
    [
      'npx heed inspect runs/book',
      'npx heed inspect model.gguf',
      'npx heed inspect --config config.json --context 4096',
      'npx heed inspect ./gpt2 --adapter lora:r=16,targets=all-linear',
    ],
  )
}

interface Flags {
  config?: string
  preset?: string
  context?: number
  all?: boolean
  adapter?: string
}

async function inspect(path: string | undefined, flags: Flags): Promise<void> {
  const { config, preset: name, context, all = false, adapter } = flags
  if ([path, config, name].filter((given) => given !== undefined).length !== 1)
    throw new HeedError(
      'invalid-option',
      'Exactly one of a model, --config FILE and --preset NAME is required',
      { remedy: 'For example: heed inspect --preset gpt2' },
    )
  if (name !== undefined) {
    const model = preset(name)
    printCount(name, model, context)
    return printAdapter(model, adapter)
  }
  if (config !== undefined)
    return printConfig(config, await readConfigFile(config), context, adapter)
  if (path === undefined) return
  if (await isAdapter(path)) return inspectAdapter(path, all, context, adapter)
  const format = await fileFormat(path)
  if (format === 'gguf') {
    await (await import('./inspect-gguf.ts')).inspectGGUF(path, { all })
    return adapter === undefined
      ? undefined
      : printAdapter(modelFor(await readModelConfig(path)), adapter)
  }
  if (format !== 'safetensors' && format !== 'torch')
    return inspectFolder(path, all, context, adapter)
  if (adapter !== undefined) throw noArchitecture(path, adapter)
  await inspectWeights(path, all)
}

/** Prints the model that a config describes, without weights. */
function printConfig(
  title: string,
  config: RawConfig,
  context?: number,
  adapter?: string | AdapterSpec,
): void {
  const model = modelFor(config)
  console.log(`${pc.bold(config.model_type)}  ${title}`)
  console.log(settings(config))
  printCount('', model, context)
  printAdapter(model, adapter)
}

const modelFor = (config: RawConfig): Countable =>
  new (modelClass(config.model_type, headOf(config)))(config as never) as Countable

/** Prints the model that an adapter belongs to, and the adapter. */
async function inspectAdapter(
  dir: string,
  all: boolean,
  context?: number,
  other?: string,
): Promise<void> {
  if (other !== undefined)
    throw new HeedError('invalid-option', `\`adapter\` must be omitted: ${dir} is an adapter`, { key: 'adapter', value: other, remedy: 'Name the folder of a model.' }) // biome-ignore format: one line
  const { base } = await readPeftConfig(dir)
  const own = await isFile(join(dir, 'config.json'))
  const config = await readModelConfig(own || base === null ? dir : base)
  const spec = await savedSpec(modelFor(config), dir)
  printConfig(base === null ? dir : `${dir}, on ${base}`, config, context, spec)
  const file = await openSafetensors(await weightsIn(dir))
  try {
    printStored(file, all)
  } finally {
    await file.close()
  }
}

const noArchitecture = (path: string, adapter: string): HeedError =>
  new HeedError('unsupported', `An adapter must have a model of a known architecture, got ${path}`, { key: 'adapter', value: adapter, remedy: 'Name a model folder whose `model_type` Heed has, not its file of weights.' }) // biome-ignore format: one line

async function inspectFolder(
  dir: string,
  all: boolean,
  context?: number,
  adapter?: string,
): Promise<void> {
  const config = await readConfig(dir)
  const { weights } = await modelFolder(dir)
  const file = await openSafetensors(weights)
  try {
    if (modelTypes().includes(config.model_type)) printConfig(join(dir), config, context, adapter)
    else {
      if (adapter !== undefined) throw noArchitecture(dir, adapter)
      console.log(`${pc.bold(config.model_type)}  ${join(dir)}`)
      console.log(settings(config))
      printModules(file)
    }
    printStored(file, all)
  } finally {
    await file.close()
  }
}

/** Prints the tensors of a weight file; without a config, the architecture is unknown. */
async function inspectWeights(path: string, all: boolean): Promise<void> {
  const file = await openSafetensors(path)
  try {
    console.log(`${pc.bold('weights')}  ${path}`)
    printModules(file)
    printStored(file, all)
  } finally {
    await file.close()
  }
}

function printModules(file: Safetensors): void {
  const tensors = file.names.map((name) => ({ name, info: file.info(name) }))
  const parameters = tensors.reduce((n, { info }) => n + sizeOf(info), 0)
  console.log(`\n${pc.bold(short(parameters))} parameters (${parameters})\n`)
  for (const line of byModule(tensors)) console.log(line)
}

function printStored(file: Safetensors, all: boolean): void {
  const infos = file.names.map((name) => file.info(name))
  const count = infos.reduce((n, info) => n + sizeOf(info), 0)
  console.log(
    `\n${pc.bold('on disk')}  ${short(count)} numbers in ${infos.length} tensors, ${dtypes(infos)}`,
  )
  if (!all) return
  for (const info of infos)
    console.log(
      `${String(sizeOf(info)).padStart(12)}  ${info.dtype.padEnd(5)} (${info.shape.join(', ')})  ${info.name}`,
    )
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

/** Sizes by module; numbered siblings are counted together: `h.*.attn`. */
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
