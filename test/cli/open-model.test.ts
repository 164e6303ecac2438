import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openModel } from '../../src/cli/open-model.ts'
import { Linear, QuantizedLinear } from '../../src/nn/index.ts'
import { heed } from './in-process.ts'

const path = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))

describe('--exact', () => {
  it('makes numbers of weights in blocks', async () => {
    const layer = 'model.layers.1.self_attn.k_proj'
    const [kept, exact] = [
      await openModel(path, 'causal-lm', {}),
      await openModel(path, 'causal-lm', { exact: true }),
    ]
    expect(kept.getModule(layer)).toBeInstanceOf(QuantizedLinear)
    expect(exact.getModule(layer)).toBeInstanceOf(Linear)
  })

  it.each(['chat', 'generate'])('is a flag of %s', async (command) => {
    const words = [command, path, '--prompt', 'dog', '--temperature', '0', '--tokens', '2']
    expect((await heed(...words, '--exact')).mistake).not.toContain('error')
  })

  it('excludes --quantize', async () => {
    const { mistake } = await heed('generate', path, '--exact', '--quantize', 'q4_0')
    expect(mistake).toContain('--quantize and --exact')
  })
})
