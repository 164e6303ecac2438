// A small GPT learns two-digit sums from examples until about a quarter of its sampled answers are right. Then it learns
// from rewards alone: 1 for the right sum, 0 otherwise.
//
//     npm run example:sums                                  # GRPO, and GRPO with rewards at random
//     npm run example:sums -- --methods all --seed 2        # also PPO, RLOO, DPO and rejection sampling
//     npm run example:sums -- --smoke                       # seconds
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Rollouts } from 'heed/generate'
import { fromPretrained } from 'heed/models'
import { Tokenizer } from 'heed/tokenizers'
import { percent, shuffled, writeRows } from './rows.ts'
import { trainInto } from './train-into.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '300' },
    lr: { type: 'string', default: '5e-4' },
    methods: { type: 'string', default: 'grpo,noise' },
    out: { type: 'string', default: 'build/sums' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const seed = Number(flags.seed)
const steps = smoke ? 4 : Number(flags.steps)
const METHODS = ['grpo', 'noise', 'rloo', 'ppo', 'dpo', 'rejection']
const methods = flags.methods === 'all' ? METHODS : flags.methods.split(',')
const unknown = methods.find((name) => !METHODS.includes(name))
if (unknown !== undefined) {
  console.error(`--methods must be among ${METHODS.join(', ')}, or all; got ${unknown}`)
  process.exit(2)
}

interface Sum {
  prompt: string
  answer: string
}

mkdirSync(out, { recursive: true })
const sums = shuffled(allSums(), seed)
const [test, train] = [sums.slice(0, smoke ? 16 : 400), sums.slice(400)]
const files = {
  examples: writeRows(out, 'examples', train.map(({ prompt, answer }) => ({ prompt, completion: answer }))), // biome-ignore format: one line
  prompts: writeRows(out, 'prompts', train),
  test: writeRows(out, 'test', test),
}
const template = join(out, 'sums.jinja')
writeFileSync(template, "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}") // biome-ignore format: one line

// A reward that knows nothing of the answers.
const noise = join(out, 'noise.mjs')
writeFileSync(
  noise,
  'let state = 1\nexport default () => Number((state = (state * 48271) % 2147483647) < 5e8)\n',
)

const common = { model: 'gpt2', context: 16, warmup: 20, schedule: 'constant', dropout: 0, valFraction: 0, evalEvery: 0, saveEvery: 0, seed } // biome-ignore format: one line
const rollouts = { maxNewTokens: 4, answers: 8, batch: smoke ? 8 : 64, lr: Number(flags.lr), steps }

/** The share of right answers of the last model. */
const right = { sampled: 0 }
const size = { tokenizer: 'char', layers: 2, heads: 2, dim: 64 }
const lesson = { task: 'chat', data: [files.examples], batch: 64, lr: 2e-3 }
// The step at which the model understands sums depends on the seed, so it learns in rounds until it gives some right sums.
let base = await run('base 0', { ...lesson, ...size, template, steps: smoke ? 20 : 450 })
for (let round = 1; right.sampled < 0.2 && round < (smoke ? 2 : 40); round++)
  base = await run(`base ${round}`, { ...lesson, from: base, warmup: 0, steps: 25 })
const from = { from: base }
for (const method of methods) {
  if (method === 'dpo')
    await run('dpo', { ...from, task: 'dpo', data: [await ownPairs()], batch: 64, beta: 1, lr: 5e-5, steps }) // biome-ignore format: one line
  else if (method === 'rejection')
    await run('rejection', { ...from, task: 'chat', data: [await ownAnswers()], batch: 64, lr: 5e-4, steps }) // biome-ignore format: one line
  else if (method === 'noise')
    await run('noise', { ...from, ...rollouts, task: 'grpo', data: [files.prompts], reward: noise }) // biome-ignore format: one line
  else await run(method, { ...from, ...rollouts, task: method, data: [files.prompts] })
}

/** Trains into a folder, and prints what the model knows then. */
async function run(name: string, keys: Record<string, unknown>): Promise<string> {
  const folder = join(out, name)
  const { seconds } = await trainInto(folder, { ...common, ...keys }, smoke ? undefined : name)
  const sampled = (await answersOf(folder, test)).flat()
  right.sampled = sampled.filter(({ isRight }) => isRight).length / sampled.length
  console.log(`${name.padEnd(10)}  sampled ${percent(right.sampled).padStart(6)}  greedy ${percent(await greedy(folder)).padStart(6)}  ${seconds.toFixed(0).padStart(4)} s`) // biome-ignore format: one line
  return folder
}

/** The share of right answers that are the most probable ones. */
async function greedy(folder: string): Promise<number> {
  const tokenizer = await Tokenizer.fromFile(folder)
  const model = await fromPretrained(folder, 'causal-lm')
  const sure = new Rollouts(model, { maxTokens: 4, stopTokens: [tokenizer.eosTokenId ?? 0], temperature: 1e-3 }) // biome-ignore format: one line
  const written = await sure.write(test.map(({ prompt }) => tokenizer.encode(prompt, { addSpecialTokens: false })), { seed }) // biome-ignore format: one line
  const right = written.filter(([{ tokens }], i) => tokenizer.decode(tokens, { skipSpecialTokens: true }) === test[i].answer) // biome-ignore format: one line
  return right.length / test.length
}

/** Eight sampled answers to each sum. */
async function answersOf(
  folder: string,
  asked: readonly Sum[],
): Promise<{ text: string; isRight: boolean }[][]> {
  const tokenizer = await Tokenizer.fromFile(folder)
  const model = await fromPretrained(folder, 'causal-lm')
  const writer = new Rollouts(model, { maxTokens: 4, stopTokens: [tokenizer.eosTokenId ?? 0] })
  const ids = asked.map(({ prompt }) => tokenizer.encode(prompt, { addSpecialTokens: false }))
  const written = await writer.write(ids, { answers: 8, seed })
  return written.map((group, i) =>
    group.map(({ tokens }) => {
      const text = tokenizer.decode(tokens, { skipSpecialTokens: true })
      return { text, isRight: text === asked[i].answer }
    }),
  )
}

/** A right and a wrong answer of the base to each sum that has both. */
async function ownPairs(): Promise<string> {
  const rows = (await ofTraining()).flatMap(({ prompt, answers }) => {
    const chosen = answers.find(({ isRight }) => isRight)
    const rejected = answers.find(({ isRight }) => !isRight)
    return chosen && rejected ? [{ prompt, chosen: chosen.text, rejected: rejected.text }] : []
  })
  return writeRows(out, 'pairs', rows.filter(({ rejected }) => rejected !== '')) // biome-ignore format: one line
}

/** The right answers among eight of the base to each sum. */
async function ownAnswers(): Promise<string> {
  const rows = (await ofTraining()).flatMap(({ prompt, answers }) =>
    answers.filter(({ isRight }) => isRight).map(({ text }) => ({ prompt, completion: text })),
  )
  return writeRows(out, 'own-answers', rows)
}

async function ofTraining(): Promise<
  { prompt: string; answers: { text: string; isRight: boolean }[] }[]
> {
  const parts: { prompt: string; answers: { text: string; isRight: boolean }[] }[] = []
  const asked = smoke ? train.slice(0, 64) : train
  for (let start = 0; start < asked.length; start += 64) {
    const some = asked.slice(start, start + 64)
    const answers = await answersOf(base, some)
    parts.push(...some.map(({ prompt }, i) => ({ prompt, answers: answers[i] })))
  }
  return parts
}

/** All sums of two numbers from 10 to 99. */
function allSums(): Sum[] {
  const numbers = Array.from({ length: 90 }, (_, i) => 10 + i)
  return numbers.flatMap((a) => numbers.map((b) => ({ prompt: `${a}+${b}=`, answer: `${a + b}` })))
}
