// Opens the encoders and decoders of the fixtures and saves them again with their outputs, and a folder of
// sentence-transformers, for scripts/fixtures/check_saved.py:
//
//     node --import ./scripts/typescript/register.mjs scripts/save-encoders.ts build/sample

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Tensor, tensor } from '../src/index.ts'
import { readConfig } from '../src/io/hub/hf.ts'
import { fromPretrained, headOf, SentenceEncoder, savePretrained } from '../src/models/index.ts'
import type { Module } from '../src/nn/index.ts'

const [folder] = process.argv.slice(2)
if (!folder) throw new Error('Name the folder to write')

const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url))
const ids = [
  [3, 9, 14, 20, 7],
  [31, 8, 25, 6, 11],
]

const encoders = ['bert', 'distilbert', 'roberta']
const llamas = ['llama', 'mistral', 'qwen2', 'qwen3', 'gemma']
const gpts = ['gpt2_classifier', 'gpt_neo', 'openai-gpt', 'bloom', 'biogpt']
for (const family of [...encoders, ...llamas, ...gpts])
  for (const name of await readdir(join(fixtures, family))) {
    const from = join(fixtures, family, name)
    const model: Module = await fromPretrained(from, headOf(await readConfig(from)))
    const to = join(folder, `${family}-${name}`)
    await savePretrained(model, to)
    const output = model.forward(...([tensor(ids, { dtype: 'i32' })] as never[]))
    const first = isTensor(output) ? output : Object.values(output as object)[0]
    await writeJson(to, { ids, first: await first.tolist() })
  }

const sentences = await SentenceEncoder.fromPretrained(join(fixtures, 'sentences', 'several'))
const texts = ['The cat sat on the mat.', 'an old house']
await sentences.save(join(folder, 'sentences'))
const vectors = (await sentences.embed(texts)).map((vector) => [...vector])
await writeJson(join(folder, 'sentences'), { texts, vectors })

function isTensor(x: unknown): x is Tensor {
  return typeof x === 'object' && x !== null && 'tolist' in x
}

async function writeJson(dir: string, value: object): Promise<void> {
  await writeFile(join(dir, 'expected.json'), JSON.stringify(value))
  console.log(dir)
}
