// Opens the image models of the fixtures and saves them again with their outputs, for scripts/fixtures/check_saved.py:
//
//     node --import ./scripts/typescript/register.mjs scripts/save-images.ts build/sample

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { manualSeed, randn } from '../src/index.ts'
import { readConfig } from '../src/io/hub/hf.ts'
import {
  fromPretrained,
  headOf,
  type ImageClassifier,
  type ImageEncoder,
  savePretrained,
} from '../src/models/index.ts'

const [folder] = process.argv.slice(2)
if (!folder) throw new Error('Name the folder to write')

const fixtures = fileURLToPath(new URL('../test/fixtures/', import.meta.url))
manualSeed(1)
for (const family of ['vit', 'deit', 'vit-hybrid', 'resnet'])
  for (const name of await readdir(join(fixtures, family))) {
    const from = join(fixtures, family, name)
    const head = headOf(await readConfig(from)) as 'image-features' | 'image-classification'
    const model: ImageEncoder | ImageClassifier = await fromPretrained(from, head)
    const to = join(folder, `${family}-${name}`)
    await savePretrained(model, to)
    const pixels = randn([2, ...model.imageShape])
    const expected = {
      pixels: await pixels.tolist(),
      first: await model.forward(pixels).tolist(),
    }
    await writeFile(join(to, 'expected.json'), JSON.stringify(expected))
    console.log(to)
  }
