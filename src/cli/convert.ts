import { Command } from 'commander'
import { openSafetensors } from '../io/safetensors/safetensors.ts'
import { convertModel, type WeightDType, weightDTypes } from '../models/index.ts'
import { formatBytes } from '../util/format.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { byteCount, nameFrom } from './options.ts'

interface Flags {
  dtype?: WeightDType
  shardSize?: number
}

export function convertCommand(): Command {
  const command = new Command('convert')
    .description('Convert a GGUF file or a model folder to a Hugging Face folder of any dtype.')
    .argument('<source>', 'a GGUF file, or the Hugging Face folder of a model')
    .argument('<folder>', 'the folder to write')
    .option(
      '--dtype <name>',
      `dtype of the stored weights: ${weightDTypes.join(', ')}`,
      nameFrom(weightDTypes),
    )
    .option('--shard-size <size>', 'maximum size of a weight file, such as 2GB', byteCount)
    .action(convert)
  return addExamples(
    command,
    'bookRun',
    ['npx heed convert runs/book book-f16 --dtype f16'],
    [
      'npx heed convert SmolLM2.Q4_1.gguf ./SmolLM2 --dtype bf16',
      'npx heed convert ./model ./model-f16 --dtype f16 --shard-size 2GB',
    ],
  )
}

async function convert(source: string, target: string, flags: Flags): Promise<void> {
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
