// Opens the vocabularies of llama.cpp (`ggml-vocab-*.gguf` in vendor/llama.cpp/models of the source package of
// llama-cpp-python) and compares the ids of the texts next to them.
//
//     npm run sweep:gguf-vocabularies -- FOLDER
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Tokenizer } from '../src/tokenizers/index.ts'

const folder = process.argv[2] ?? '.'
const names = readdirSync(folder).filter((name) => /^ggml-vocab-.*\.gguf$/.test(name))
for (const name of names) {
  const path = join(folder, name)
  const tokenizer = await Tokenizer.fromFile(path)
  console.log(`${name}: ${existsSync(`${path}.inp`) ? compare(tokenizer, path) : 'opens'}`)
}

function compare(tokenizer: Tokenizer, path: string): string {
  const texts = readFileSync(`${path}.inp`, 'utf8').split('\n__ggml_vocab_test__\n')
  const lines = readFileSync(`${path}.out`, 'utf8').split('\n')
  const different = texts.filter((text, i) => {
    const ids = tokenizer.encode(text, { addSpecialTokens: false })
    return ids.join(' ') !== lines[i].trim().replaceAll(/\s+/g, ' ')
  })
  if (different.length > 0) process.exitCode = 1
  for (const text of different.slice(0, 3)) console.log(`  ${JSON.stringify(text)}`)
  return `${texts.length - different.length} of ${texts.length} texts have the same ids`
}
