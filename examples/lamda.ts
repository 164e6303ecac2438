// A model writes and judges (LaMDA; Thoppilan et al., 2022): SmolLM2 learns from talks between people with an adapter. A true
// reply is `sensible`, a reply from another talk is not. Afterwards it finds the true reply of talks that it has not seen.
//
//     pip download --no-deps chitchat-dataset==0.9.0 && unzip chitchat_dataset-0.9.0-py3-none-any.whl
//     npm run example:lamda -- SmolLM2-135M-Instruct.Q4_1.gguf --data chitchat_dataset/dataset.json [--steps 160] [--seed 1]
//     npm run example:lamda -- --smoke     # seconds, with a tiny model of random weights and made-up talks
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Chat, type Judge } from 'heed/generate'
import { fromPretrained } from 'heed/models'
import { Tokenizer } from 'heed/tokenizers'
import { openJudge, parseTrainConfig, trainModel } from 'heed/train'
import { chitchat, type Reply, toyTalks } from './lamda/talks.ts'
import { showProgress } from './progress.ts'
import { percent, writeRows } from './rows.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: 'chitchat_dataset/dataset.json' },
    steps: { type: 'string', default: '160' },
    pairs: { type: 'string', default: '400' },
    contexts: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'build/lamda' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const from = smoke ? 'test/fixtures/gguf/llama.gguf' : positionals[0]
if (from === undefined) {
  console.error(
    'Name a GGUF file of SmolLM2: npm run example:lamda -- SmolLM2-135M-Instruct.Q4_1.gguf',
  )
  process.exit(2)
}
const [steps, pairs, contexts] = smoke
  ? [4, 8, 4]
  : [flags.steps, flags.pairs, flags.contexts].map(Number)
const seed = Number(flags.seed)

// One reply of each talk. A tenth of the talks is never trained on.
const talks = (smoke ? toyTalks() : chitchat(flags.data)).filter((replies) => replies.length > 0)
const random = numbers(seed)
const replies = shuffled(talks.map((all) => all[Math.floor(random() * all.length)]))
const held = Math.max(pairs, contexts) + 16
const [test, train] = [replies.slice(0, held), replies.slice(held)]

mkdirSync(out, { recursive: true })
const rows = train.slice(0, 4 * steps).flatMap(({ context, response }, i) => [
  { context, response, sensible: 1 },
  { context, response: train[(i + 1) % train.length].response, sensible: 0 },
])
const folder = join(out, 'run')
rmSync(folder, { recursive: true, force: true })
const config = parseTrainConfig({
  task: 'lamda',
  model: 'llama',
  from,
  data: [writeRows(out, 'rows', rows)],
  ...(smoke
    ? { template: 'alpaca', adapter: 'lora:r=2' }
    : { adapter: 'lora:r=8,targets=all-linear' }),
  steps,
  batch: 8,
  lr: 1e-3,
  warmup: Math.min(10, steps >> 1),
  context: 256,
  valFraction: 0,
  saveEvery: 0,
  evalEvery: 0,
  seed,
})
const started = performance.now()
await trainModel({ config, out: folder, on: smoke ? undefined : showProgress('lamda') })
console.log(`${steps} steps of 8 texts from ${rows.length} rows (${seconds(started)})`)

const model = await fromPretrained(folder, 'causal-lm')
const judge = await openJudge(folder, { model: model.eval() })
let right = 0
const paired = performance.now()
for (const [i, { context, response }] of test.slice(0, pairs).entries()) {
  const [true_, other] = await sensible(judge, context, [
    response,
    test[(i + 1) % test.length].response,
  ])
  if (true_ > other) right++
}
console.log(
  `true reply above one of another talk: ${percent(right / pairs)} of ${pairs} (${seconds(paired)})`,
)

let first = 0
const ranked = performance.now()
for (const [i, { context, response }] of test.slice(0, contexts).entries()) {
  const others = Array.from({ length: 15 }, (_, k) => test[(i + 1 + k) % test.length].response)
  const [true_, ...rest] = await sensible(judge, context, [response, ...others])
  if (true_ > Math.max(...rest)) first++
}
console.log(
  `true reply first of 16: ${percent(first / contexts)} of ${contexts} (${seconds(ranked)})`,
)

const chat = new Chat(model, await Tokenizer.fromFile(folder), { system: 'Two people chat.' })
const message = smoke ? 'two cats are sitting here' : 'Hi! I just came back from a week by the sea.'
const { candidates } = await chat.sayBest(message, judge, {
  candidates: smoke ? 2 : 16,
  temperature: 1,
  topK: 40,
  maxTokens: smoke ? 4 : 40,
  seed,
})
console.log(`\n${message}`)
for (const { text, ratings } of [...candidates.slice(0, 3), ...candidates.slice(3).slice(-1)])
  console.log(`  sensible ${(ratings.sensible ?? 0).toFixed(2)}  ${text.replace(/\s+/g, ' ')}`)

async function sensible(
  by: Judge,
  context: Reply['context'],
  responses: string[],
): Promise<number[]> {
  return (await by.rate(context, responses)).map((ratings) => ratings.sensible ?? 0)
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(0)} s`
}

/** Random numbers in [0, 1) (mulberry32). */
function numbers(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items.map((item) => ({ item, place: random() })).sort((a, b) => a.place - b.place).map(({ item }) => item) // biome-ignore format: one line
}
