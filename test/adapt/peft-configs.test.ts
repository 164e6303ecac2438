// Settings of adapter_config.json that Heed does not honour are refused by name, and those without an effect are not.
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadAdapter } from '../../src/adapt/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { fixtures, open } from './adapter-cases.ts'

const folder = join(fixtures, 'adapters')

/** Loads an adapter of the fixtures with another setting. */
async function loadWith(name: string, key: string, value: unknown): Promise<unknown> {
  const dir = await temporaryFolder()
  await cp(join(folder, name), dir, { recursive: true })
  const path = join(dir, 'adapter_config.json')
  const config = JSON.parse(await readFile(path, 'utf8'))
  await writeFile(path, JSON.stringify({ ...config, [key]: value }))
  const { model } = await open(folder, name)
  return loadAdapter(model, dir)
}

it.each([
  ...['pissa', 'pissa_niter_16', 'olora', 'corda', 'loftq', 'lora_ga', 'mica'].map(
    (value) => ['llama-lora', 'init_lora_weights', value] as const,
  ),
  ['llama-lora', 'bias', 'all'],
  ['llama-lora', 'bias', 'lora_only'],
  ['llama-lora', 'layers_pattern', 'layers'],
  ['llama-lora', 'megatron_config', { sequence_parallel: true }],
  ['llama-lora', 'trainable_token_indices', [1, 2]],
  ['llama-lora', 'eva_config', { rho: 2 }],
  ['llama-lora', 'corda_config', { corda_method: 'ipm' }],
  ['llama-lora', 'lora_ga_config', { direction: 'ArB2r' }],
  ['llama-lora', 'velora_config', { rank: 1 }],
  ['llama-lora', 'alora_invocation_tokens', [5]],
  ['llama-lora', 'use_qalora', true],
  ['llama-lora', 'monteclora_config', { samples: 2 }],
  ['llama-lora', 'layer_replication', [[0, 2]]],
  ['llama-lora', 'target_parameters', ['mlp.experts']],
  ['llama-lora', 'use_bdlora', { blocks: 2 }],
  ['llama-lora', 'arrow_config', { top_k: 3 }],
  ['llama-lora', 'kasa_config', { beta: 1 }],
  ['llama-lora', 'ensure_weight_tying', true],
  ['llama-lora', 'a_key_of_a_later_version', 3],
  ['llama-ia3', 'layers_pattern', 'layers'],
  ['llama-prompt', 'tokenizer_options', { add_bos: true }],
  ['llama-prefix', 'prefix_dropout', 0.1],
  ['llama-prompt', 'num_transformer_submodules', 2],
  ['t5-prefix', 'num_transformer_submodules', 1],
  ['t5-prompt', 'num_transformer_submodules', 1],
  ['t5-p-tuning', 'num_transformer_submodules', 3],
] as const)('%s with %s %j is refused by name', async (name, key, value) => {
  await expect(loadWith(name, key, value)).rejects.toThrow(
    heedError('unsupported', { key, value, mentions: key }),
  )
})

it.each([
  ['llama-lora', 'init_lora_weights', 'gaussian'],
  ['llama-lora', 'init_lora_weights', 'eva'],
  ['llama-lora', 'init_lora_weights', false],
  ['llama-lora', 'lora_dropout', 0.1],
  ['llama-lora', 'megatron_core', 'another.core'],
  ['llama-lora', 'qalora_group_size', 32],
  ['llama-lora', 'layers_pattern', null],
  ['llama-lora', 'kasa_config', null],
  ['llama-lora', 'loftq_config', { loftq_bits: 4 }],
  ['llama-prompt', 'num_transformer_submodules', null],
  ['llama-ia3', 'init_ia3_weights', false],
])('%s with %s %j is opened', async (name, key, value) => {
  await expect(loadWith(name, key, value)).resolves.toBeDefined()
})

it.each(['ADALORA', 'VERA', 'LOHA', 7])(
  'the type %j is refused with the known ones',
  async (type) => {
    await expect(loadWith('llama-lora', 'peft_type', type)).rejects.toThrow(
      heedError('unsupported', { key: 'peft_type', value: type, mentions: ['LORA', 'IA3'] }),
    )
  },
)
