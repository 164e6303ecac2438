// Saves adapters of every type of peft on the tiny models of the fixtures, with what Heed computes with them, for
// scripts/fixtures/check_adapters.py:
//
//     node --import ./scripts/typescript/register.mjs scripts/save-adapters.ts build/adapters
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addAdapter } from '../src/adapt/index.ts'
import { manualSeed, randint, randn } from '../src/index.ts'
import { fromPretrained, type Head, shiftRight } from '../src/models/index.ts'
import type { Module } from '../src/nn/index.ts'
import type { Tensor } from '../src/tensor/index.ts'

const [out] = process.argv.slice(2)
if (!out) throw new Error('Name the folder to write')
const fixtures = fileURLToPath(new URL('../test/fixtures', import.meta.url))

const LAYERS = ['lora:r=3,targets=all-linear', 'rslora:r=3', 'dora:r=3', 'ia3']
const PROMPTS = ['prompt:tokens=3', 'p-tuning:tokens=3', 'prefix:tokens=3', 'prefix:projection,tokens=3,hidden=5'] // biome-ignore format: one line
const CASES: readonly (readonly [base: string, head: Head, specs: readonly string[]])[] = [
  ['llama/base', 'causal-lm', [...LAYERS, ...PROMPTS, 'lora:targets=embed_tokens+q_proj']],
  ['gpt2/small', 'causal-lm', [...LAYERS, ...PROMPTS, 'lora:r=2,save=ln_f']],
  ['bert/sequence', 'sequence-classification', [...LAYERS.map((spec) => `${spec}${spec.includes(':') ? ',' : ':'}save=classifier`), ...PROMPTS.slice(0, 2), 'lora:r=2', 'ia3']], // biome-ignore format: one line
  ['t5/tied', 'seq2seq-lm', [...LAYERS, ...PROMPTS.slice(0, 3)]],
  ['vit/classes', 'image-classification', LAYERS],
]

for (const [base, head, specs] of CASES)
  for (const [i, spec] of specs.entries()) {
    manualSeed(i + 1)
    const model: Module = await fromPretrained(join(fixtures, base), head)
    const adapter = addAdapter(model, spec)
    for (const parameter of adapter.parameters())
      parameter.assign(parameter.detach().add(randn(parameter.shape).mul(0.2)))
    const input = head === 'image-classification' ? imagesFor(model) : randint(3, 36, [2, 7])
    const call = model.forward as (...inputs: Tensor[]) => Tensor
    const inputs = head === 'seq2seq-lm' ? [input, shiftRight(input, model as never)] : [input]
    const logits = call.apply(model, inputs)
    const name = `${base.split('/')[0]}-${spec.replaceAll(/[^a-z0-9]+/g, '-')}`
    const dir = join(out, name)
    mkdirSync(dir, { recursive: true })
    await adapter.save(dir, { base: join(fixtures, base) })
    const expected = { head, input: await input.tolist(), logits: await logits.tolist() }
    writeFileSync(join(dir, 'expected.json'), JSON.stringify(expected))
    console.log(name)
  }

function imagesFor({ config }: Module): Tensor {
  const { image_size: size, num_channels: channels } = Object(config)
  return randn([2, channels, size, size])
}
