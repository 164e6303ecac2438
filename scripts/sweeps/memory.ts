// Tests too little memory: training, a plain loop, generation and the command line, with HEED_MEMORY from 1 byte to 10 MB,
// each in a separate process.
//
//   npm run sweep:memory -- [VALUES] [SECONDS]      (default 60 60; HEED_DEVICE chooses the device)
//
// Each process must succeed or end with an OutOfMemoryError within SECONDS.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GPT2, savePretrained } from '../../src/models/index.ts'
import { trainTokenizer } from '../../src/tokenizers/index.ts'
import { loader } from '../../test/support/run-script.ts'

const [count, seconds] = [60, 60].map((usual, i) => Number(process.argv[2 + i] ?? usual))
const folder = mkdtempSync(join(tmpdir(), 'heed-memory-'))
const script = fileURLToPath(new URL('memory-once.ts', import.meta.url))
const main = fileURLToPath(new URL('../../test/support/heed-main.ts', import.meta.url))
const problems: string[] = []

type Outcome = 'success' | 'out of memory' | 'problem'

interface Way {
  words(bytes: number): string[]
  /** Whether a process that failed has reported an OutOfMemoryError, and nothing else. */
  outOfMemory(code: number | null, stderr: string): boolean
}

const library = (name: string): Way => ({
  words: () => [script, name, folder],
  outOfMemory: (code, stderr) => code === 3 && stderr === '',
})

const commandLine = (words: (bytes: number) => string[]): Way => ({
  words: (bytes) => [main, ...words(bytes)],
  outOfMemory: (code, stderr) =>
    code === 2 && /^heed: .* do not fit: .* are in use.*\n.*HEED_MEMORY.*\n$/.test(stderr),
})

const ways: Record<string, Way> = {
  trainModel: library('train'),
  'a plain loop': library('loop'),
  generateTokens: library('generate'),
  'heed train': commandLine(
    (bytes) =>
    `train gpt2 --data ${folder}/text.txt --out ${folder}/out-${bytes} --layers 2 --heads 2 --dim 64 --context 32 --batch 8 --steps 2`.split(' '), // biome-ignore format: one line
  ),
  'heed generate': commandLine(() => `generate ${folder}/model --prompt the --tokens 8`.split(' ')),
}

/** Values with equal distances on a logarithmic scale. */
const budgets = Array.from({ length: count }, (_, i) => Math.round(1e7 ** (i / (count - 1))))

async function work(name: string, bytes: number): Promise<Outcome> {
  const child = spawn(process.execPath, [...loader, ...ways[name].words(bytes)], {
    env: { ...process.env, HEED_MEMORY: `${bytes}`, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
  })
  let stderr = ''
  child.stderr.on('data', (part) => {
    stderr += part
  })
  const [code, signal] = await once(child, 'close')
  if (code === 0) return 'success'
  if (ways[name].outOfMemory(code, stderr)) return 'out of memory'
  problems.push(`${name}, HEED_MEMORY=${bytes}: ${signal ?? `code ${code}`}\n${stderr}`)
  return 'problem'
}

const text = 'the cat sat on the mat and the dog ran after it. '.repeat(60)
writeFileSync(join(folder, 'text.txt'), text)
const size = { vocab_size: 280, n_positions: 32, n_embd: 64, n_layer: 2, n_head: 2 }
await savePretrained(new GPT2(size), join(folder, 'model'), {
  tokenizer: trainTokenizer([text], { type: 'bpe', vocabSize: 280 }),
})

for (const name of Object.keys(ways)) {
  const left = [...budgets]
  const counts: Record<Outcome, number> = { success: 0, 'out of memory': 0, problem: 0 }
  const worker = async (): Promise<void> => {
    for (let bytes = left.pop(); bytes !== undefined; bytes = left.pop())
      counts[await work(name, bytes)]++
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  console.log(`${name}: ${JSON.stringify(counts)}`)
  // Otherwise the values would prove nothing.
  if (counts.success === 0) problems.push(`${name} never succeeded`)
  if (counts['out of memory'] === 0) problems.push(`${name} was never out of memory`)
}

for (const problem of problems) console.log(problem)
console.log(problems.length === 0 ? 'No problems.' : `${problems.length} problems`)
rmSync(folder, { recursive: true })
process.exitCode = problems.length === 0 ? 0 : 1
