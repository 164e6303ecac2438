// The flags --adapter and --base of commands that open models.
import { type Command, InvalidArgumentError, Option } from 'commander'

/** Factors by the folders of adapters. */
type Factors = Readonly<Record<string, number>>

export interface AdapterFlags {
  adapter?: Factors
  base?: string
}

/** The options of functions that open a model. */
export const adaptedBy = ({ adapter: adapters, base }: AdapterFlags) => ({ adapters, base })

export const baseOption = (): Option =>
  new Option('--base <path>', 'where the base of an adapter is now, if it has moved')

export const addAdapterFlags = (command: Command): Command =>
  command
    .option(
      '--adapter <folder[:factor]>',
      'attach an adapter of heed train or peft to the model; repeatable',
      withAdapter,
    )
    .addOption(baseOption())

function withAdapter(text: string, before: Factors = {}): Factors {
  const [, folder, factor = '1'] = /^(.+?)(?::([-+.\w]*))?$/.exec(text) ?? []
  // A drive such as C:\runs is not a factor.
  const isFactor = Number.isFinite(Number(factor)) && factor !== ''
  const name = isFactor ? folder : text
  if (!name) throw new InvalidArgumentError('It must be a folder, or a folder and a factor: runs/lora:0.5.') // biome-ignore format: one line
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError('Each adapter must be given once.') // biome-ignore format: one line
  return { ...before, [name]: isFactor ? Number(factor) : 1 }
}
