// How far Heed's next-token probabilities are from llama.cpp's on the same GGUF file:
//
//   HEED_PYTHON=.venv/bin/python npm run bench:agreement -- FILE.gguf [--text FILE] [--positions 200]
//
// Both read the same tokens (teacher-forced), of a text of our own unless another is given. Printed are the
// share of positions where both have the same likeliest token, and the mean Kullback-Leibler divergence
// of Heed's distribution from llama.cpp's. With --steps Heed reads token by token, as it generates: its
// products with weights in blocks then round activations to 8 bits, as llama.cpp's do. HEED_PYTHON names a Python that has llama-cpp-python.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { Decoder } from '../src/generate/index.ts'
import { fromPretrained } from '../src/models/index.ts'
import { noGrad, tensor } from '../src/tensor/index.ts'
import { Tokenizer } from '../src/tokenizers/index.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    text: { type: 'string', default: new URL('../ARCHITECTURE.md', import.meta.url).pathname },
    positions: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    steps: { type: 'boolean', default: false },
  },
})
const [path] = positionals
if (!path) throw new Error('Give the path of a GGUF file')

const tokenizer = await Tokenizer.fromFile(path)
const ids = tokenizer.encode(await readFile(values.text, 'utf8')).slice(0, Number(values.positions))
const peer = await logitsOfLlamaCpp(ids)
const model = await fromPretrained(path)
const own = await (values.steps ? logitsByStep(ids) : logitsAtOnce(ids))
if (own.length !== peer.length)
  throw new Error(`Heed gives ${own.length} logits, llama.cpp ${peer.length}`)

const width = own.length / ids.length
let agreed = 0
let divergence = 0
let largest = 0
for (let at = 0; at < ids.length; at++) {
  const row = [at * width, (at + 1) * width] as const
  const [p, q] = [peer, own].map((logits) => logProbabilities(logits.slice(...row)))
  const apart = p.reduce((sum, logP, i) => sum + Math.exp(logP) * (logP - q[i]), 0)
  agreed += argmax(p) === argmax(q) ? 1 : 0
  divergence += apart
  largest = Math.max(largest, apart)
}
console.log(`${ids.length} positions, ${width} tokens of vocabulary`)
console.log(`same likeliest token: ${((100 * agreed) / ids.length).toFixed(1)} %`)
console.log(
  `KL divergence: mean ${(divergence / ids.length).toFixed(5)}, largest ${largest.toFixed(4)}`,
)

async function logitsAtOnce(tokens: readonly number[]): Promise<Float32Array> {
  const input = tensor([...tokens], { dtype: 'i32' }).reshape(1, tokens.length)
  return Float32Array.from(await noGrad(() => model.forward(input)).data())
}

async function logitsByStep(tokens: readonly number[]): Promise<Float32Array> {
  const decoder = new Decoder(model, tokens.length)
  const all = new Float32Array(tokens.length * model.vocabSize)
  for (const [at, token] of tokens.entries()) {
    const logits = await (at === 0 ? decoder.start([[token]]) : decoder.next([token]))
    all.set(logits as Float32Array, at * model.vocabSize)
  }
  return all
}

async function logitsOfLlamaCpp(tokens: readonly number[]): Promise<Float32Array> {
  const script = new URL('peers/llama_cpp_logits.py', import.meta.url).pathname
  const python = spawn(process.env.HEED_PYTHON ?? 'python3', [script, path, values.threads], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  python.stdin.end(JSON.stringify(tokens))
  const chunks: Buffer[] = []
  python.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = await once(python, 'close')
  if (code !== 0) throw new Error(`llama.cpp ended with code ${code}`)
  return new Float32Array(Uint8Array.from(Buffer.concat(chunks)).buffer)
}

function logProbabilities(logits: ArrayLike<number>): Float64Array {
  const row = Float64Array.from(logits)
  const most = row.reduce((a, b) => Math.max(a, b))
  const total = row.reduce((sum, x) => sum + Math.exp(x - most), 0)
  return row.map((x) => x - most - Math.log(total))
}

function argmax(row: Float64Array): number {
  return row.reduce((best, x, i) => (x > row[best] ? i : best), 0)
}
