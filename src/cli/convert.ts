import { Command } from 'commander'
import pc from 'picocolors'
import { openSafetensors } from '../io/safetensors/safetensors.ts'
import { convertModel, type WeightDType, weightDTypes } from '../models/index.ts'
import { HeedError } from '../util/errors.ts'
import { formatBytes } from '../util/format.ts'
import { byteCount } from './options.ts'

interface Flags {
  dtype?: string
  shardSize?: number
}

export function convertCommand(): Command {
  return new Command('convert')
    .description(
      'Write a model as a Hugging Face folder: from GGUF, or with another dtype or shards.',
    )
    .argument('<source>', 'a GGUF file, or a Hugging Face folder of a model')
    .argument('<folder>', 'where to')
    .option('--dtype <name>', `what weights are stored in: ${weightDTypes.join(', ')}`)
    .option('--shard-size <size>', 'bytes of one file at most, such as 2GB', byteCount)
    .addHelpText(
      'after',
      `
Examples:
  $ heed convert SmolLM2.Q4_1.gguf ./SmolLM2 --dtype bf16
  $ heed convert ./model ./model-f16 --dtype f16 --shard-size 2GB`,
    )
    .action(convert)
}

async function convert(source: string, target: string, flags: Flags): Promise<void> {
  await convertModel(source, target, {
    dtype: dtypeNamed(flags.dtype),
    maxShardBytes: flags.shardSize,
  })
  const file = await openSafetensors(target)
  const infos = file.names.map((name) => file.info(name))
  await file.close()
  const bytes = infos.reduce((sum, info) => sum + info.bytes, 0)
  console.log(`${pc.bold(target)}: ${infos.length} tensors, ${formatBytes(bytes)}`)
}

function dtypeNamed(name: string | undefined): WeightDType | undefined {
  const found = weightDTypes.find((dtype) => dtype === name)
  if (found || name === undefined) return found
  throw new HeedError('invalid-option', `--dtype ${name}: there is no such dtype`, {
    remedy: `Known: ${weightDTypes.join(', ')}.`,
  })
}
