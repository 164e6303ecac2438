import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { adaptersOf, loadAdapters, mergeAdapters } from '../adapt/index.ts'
import { fromPretrained, headOf, savePretrained, type WeightDType, weightDTypes } from '../models/index.ts' // biome-ignore format: one line
import { readModelConfig } from '../models/weight-file.ts'
import { countWeights, type Module } from '../nn/index.ts'
import { predictionTask } from '../train/tasks/index.ts'
import { HeedError } from '../util/errors.ts'
import { type AdapterFlags, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { nameFrom } from './options.ts'
import { short } from './text.ts'

interface Flags extends AdapterFlags {
  out: string
  dtype: WeightDType
}

export function mergeCommand(): Command {
  const command = new Command('merge')
    .description('Add adapters to the weights of their model, and save it as one folder.')
    .argument('<model>', 'the run of an adapter, or a model folder or GGUF file with --adapter')
    .requiredOption('--out <folder>', 'folder to write')
    .option(
      '--dtype <name>',
      `dtype of the stored weights: ${weightDTypes.join(', ')}`,
      nameFrom(weightDTypes),
      'f32',
    )
    .addHelpText('after', '\nQuantized weights are dequantized: in blocks, small changes would be lost.')
    .action(merge) // biome-ignore format: one line for each part
  addAdapterFlags(command)
  return addExamples(
    command,
    'bookRun',
    [
      'npx heed train --from runs/book --data book.txt --adapter lora --steps 20 --out runs/lora',
      'npx heed merge runs/lora --out merged',
    ],
    [
      'npx heed merge SmolLM2.Q4_1.gguf --adapter runs/terms:0.8 --out ./SmolLM2-terms --dtype bf16',
    ],
  )
}

async function merge(path: string, { out, dtype, adapter, base }: Flags): Promise<void> {
  if (existsSync(join(out, 'config.json')))
    throw new HeedError('already-exists', `\`out\` must be a new folder, got ${out}, which has a model`, {
      key: 'out',
      value: out,
      remedy: 'Choose another folder.',
    }) // biome-ignore format: one line
  const config = await readModelConfig(path)
  const head = headOf(config)
  const model: Module = await fromPretrained(path, head, { keepBlocks: false, base })
  if (adapter) await loadAdapters(model, adapter)
  if (adaptersOf(model).length === 0)
    throw new HeedError('invalid-option', `${path} must be the run of an adapter, got a model without one`, {
      key: 'adapter',
      value: path,
      remedy: 'Add an adapter with `adapter`.',
    }) // biome-ignore format: one line
  const preprocessor = await predictionTask(config.model_type, head).openPreprocessor(path)
  await mergeAdapters(model)
  await savePretrained(model, out, { dtype, tokenizer: preprocessor })
  console.log(`${pc.bold(out)}: ${model.constructor.name} with ${short(countWeights(model))} parameters`) // biome-ignore format: one line
}
