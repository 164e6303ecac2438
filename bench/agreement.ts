// Compares next-token probabilities with those of the same GGUF file in f32:
//
//   HEED_PYTHON=.venv/bin/python npm run bench:agreement -- FILE.gguf [--text FILE] [--positions 200]
//
// All sides read the same tokens (teacher-forced) of ARCHITECTURE.md, or of the file named by --text: Heed with quantized
// weights, token by token as in generation; and llama.cpp, if HEED_PYTHON names a Python that has llama-cpp-python. The
// output is the share of positions with the same most likely token as in f32, and the Kullback-Leibler divergence of the
// distribution from f32.
//
// --prompts N [--tokens 40] also continues the beginnings of N sentences of Moby-Dick greedily, and compares the tokens
// with f32.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Tokenizer } from '../src/tokenizers/index.ts'
import { argmax, heedSide, llamaSide, type Side } from './agreement-sides.ts'
import { novelSentences } from './peers/sentences.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    text: {
      type: 'string',
      default: fileURLToPath(new URL('../ARCHITECTURE.md', import.meta.url)),
    },
    positions: { type: 'string', default: '200' },
    prompts: { type: 'string', default: '0' },
    tokens: { type: 'string', default: '40' },
    threads: { type: 'string', default: '2' },
  },
})
const [path] = positionals
if (!path) throw new Error('Give the path of a GGUF file')

const tokenizer = await Tokenizer.fromFile(path)
const exact = await heedSide(path, false)
const sides = [await heedSide(path, true), llamaSide(path, values.threads)].filter(
  (x) => x !== null,
)
await compareDistributions()
if (Number(values.prompts) > 0) await compareContinuations()

async function compareDistributions(): Promise<void> {
  const text = await readFile(values.text, 'utf8')
  const ids = tokenizer.encode(text).slice(0, Number(values.positions))
  const expected = await exact.logits(ids)
  console.log(`${ids.length} positions, against ${exact.name}:`)
  for (const side of sides) {
    const logits = await side.logits(ids)
    if (logits.length !== expected.length)
      throw new Error(`${side.name} gives ${logits.length} logits, not ${expected.length}`)
    console.log(`  ${side.name}: ${distance(expected, logits, ids.length)}`)
  }
}

function distance(expected: Float32Array, logits: Float32Array, rows: number): string {
  const width = expected.length / rows
  const divergences: number[] = []
  let same = 0
  for (let at = 0; at < rows; at++) {
    const [p, q] = [expected, logits].map((all) =>
      logProbabilities(all.subarray(at * width, (at + 1) * width)),
    )
    divergences.push(p.reduce((sum, logP, i) => sum + Math.exp(logP) * (logP - q[i]), 0))
    if (argmax(p) === argmax(q)) same++
  }
  const mean = divergences.reduce((a, b) => a + b) / rows
  return [
    `same most likely token ${((100 * same) / rows).toFixed(1)} %`,
    `KL divergence mean ${mean.toExponential(2)}, largest ${Math.max(...divergences).toExponential(2)}`,
  ].join(', ')
}

async function compareContinuations(): Promise<void> {
  const count = Number(values.tokens)
  const prompts = novelSentences(Number(values.prompts)).map((text) => {
    const ids = tokenizer.encode(text)
    return ids.slice(0, Math.min(12, ids.length - 1))
  })
  const expected = await exact.greedy(prompts, count)
  console.log(`${prompts.length} prompts, ${count} tokens each, against ${exact.name}:`)
  for (const side of sides)
    console.log(`  ${side.name}: ${await continuations(side, prompts, expected)}`)
}

async function continuations(
  side: Side,
  prompts: readonly number[][],
  expected: readonly number[][],
): Promise<string> {
  const written = await side.greedy(prompts, expected[0].length)
  const agreed = written.map((tokens, i) => {
    const first = tokens.findIndex((token, at) => token !== expected[i][at])
    return first < 0 ? tokens.length : first
  })
  const whole = agreed.filter((n) => n === expected[0].length).length
  const tokens = agreed.reduce((a, b) => a + b)
  const share = ((100 * tokens) / (prompts.length * expected[0].length)).toFixed(1)
  return `${whole} of ${prompts.length} the same to the end, ${share} % of tokens before the first difference`
}

function logProbabilities(logits: ArrayLike<number>): Float64Array {
  const row = Float64Array.from(logits)
  const most = row.reduce((a, b) => Math.max(a, b))
  const total = row.reduce((sum, x) => sum + Math.exp(x - most), 0)
  return row.map((x) => x - most - Math.log(total))
}
