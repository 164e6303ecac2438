import { Command } from 'commander'
import { adaptersOf } from '../adapt/index.ts'
import { isAdapter } from '../adapt/peft.ts'
import { openGGUF } from '../io/gguf/gguf.ts'
import { openSafetensors } from '../io/safetensors/safetensors.ts'
import { convertModel, fromPretrained, type WeightDType, weightDTypes } from '../models/index.ts'
import { invalidOption } from '../util/errors.ts'
import { formatBytes } from '../util/format.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { byteCount, nameFrom } from './options.ts'

interface Flags {
  dtype?: WeightDType
  base?: string
  shardSize?: number
}

export function convertCommand(): Command {
  const command = new Command('convert')
    .description(
      'Convert a GGUF file or a model folder to a Hugging Face folder of any dtype, or an adapter to a GGUF file.',
    )
    .argument('<source>', 'a GGUF file, the Hugging Face folder of a model, or that of an adapter')
    .argument('<target>', 'the folder to write; for an adapter, a file that ends in .gguf')
    .option(
      '--dtype <name>',
      `dtype of the stored weights: ${weightDTypes.join(', ')}`,
      nameFrom(weightDTypes),
    )
    .option('--base <path>', 'the base of the adapter, if it has moved')
    .option('--shard-size <size>', 'maximum size of a weight file, such as 2GB', byteCount)
    .action(convert)
  return addExamples(
    command,
    'bookRun',
    ['npx heed convert runs/book book-f16 --dtype f16'],
    [
      'npx heed convert SmolLM2.Q4_1.gguf ./SmolLM2 --dtype bf16',
      'npx heed convert ./model ./model-f16 --dtype f16 --shard-size 2GB',
      'npx heed convert runs/terms terms.gguf',
    ],
  )
}

async function convert(source: string, target: string, flags: Flags): Promise<void> {
  if (await isAdapter(source)) return convertAdapter(source, target, flags)
  await convertModel(source, target, {
    dtype: flags.dtype,
    maxShardBytes: flags.shardSize,
  })
  const file = await openSafetensors(target)
  const infos = file.names.map((name) => file.info(name))
  await file.close()
  const bytes = infos.reduce((sum, info) => sum + info.bytes, 0)
  console.log(`${pc.bold(target)}: ${infos.length} tensors, ${formatBytes(bytes)}`)
}

/** Writes the LoRA matrices of an adapter for llama.cpp. */
async function convertAdapter(source: string, target: string, { base }: Flags): Promise<void> {
  if (!target.toLowerCase().endsWith('.gguf'))
    throw invalidOption({
      key: 'target',
      value: target,
      expected: 'a file that ends in .gguf, for an adapter',
      remedy: 'Write the merged model to a folder with heed merge.',
    })
  const model = await fromPretrained(source, undefined, { base, keepBlocks: true })
  for (const adapter of adaptersOf(model)) await adapter.save(target)
  const file = await openGGUF(target)
  const count = file.names.length
  await file.close()
  console.log(`${pc.bold(target)}: ${count} tensors of an adapter`)
}
