// SmolLM2 learns to define medical terms: QLoRA over its quantised weights, on conversations. Then it learns from
// preferences: the right definition of a term against that of another term.
//
//     npm run example:terms -- SmolLM2-135M-Instruct.Q4_1.gguf hp.obo [--seed 1]
//     npm run example:terms -- SmolLM2-135M-Instruct.Q4_1.gguf hp.obo --rows alpaca      # instruction, input, output
//     npm run example:terms -- SmolLM2-135M-Instruct.Q4_1.gguf hp.obo --preferences
//     npm run example:terms -- --smoke                                                   # seconds, with a tiny model
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Rollouts } from 'heed/generate'
import { type CausalLM, fromPretrained } from 'heed/models'
import { Tokenizer } from 'heed/tokenizers'
import { evaluateRun, fewShot } from 'heed/train'
import { questionsOf, TASKS } from './few-shot/words.ts'
import { percent, shuffled, writeRows } from './rows.ts'
import { readTerms, type Term, toyTerms } from './terms/hpo.ts'
import { trainInto } from './train-into.ts'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '100' },
    lr: { type: 'string', default: '1e-3' },
    rows: { type: 'string', default: 'prompt' },
    preferences: { type: 'boolean', default: false },
    out: { type: 'string', default: 'build/terms' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const [base, ontology] = smoke ? ['test/fixtures/gguf/llama.gguf', ''] : positionals
if (base === undefined || ontology === undefined) {
  console.error('Name a GGUF file of SmolLM2 and hp.obo: npm run example:terms -- SmolLM2-135M-Instruct.Q4_1.gguf hp.obo') // biome-ignore format: one line
  process.exit(2)
}
const seed = Number(flags.seed)
const steps = smoke ? 2 : Number(flags.steps)
const terms = shuffled(smoke ? toyTerms() : readTerms(ontology), seed)
const held = smoke ? 8 : 500
const [test, train] = [terms.slice(0, held), terms.slice(held)]

mkdirSync(out, { recursive: true })
const question = ({ name }: Term): string => `What does the medical term "${name}" mean?`
const asPrompt = (term: Term): object => ({ prompt: question(term), completion: term.definition })
const asAlpaca = (term: Term): object => ({ instruction: 'Define the medical term.', input: term.name, output: term.definition }) // biome-ignore format: one line
const asRow = flags.rows === 'alpaca' ? asAlpaca : asPrompt
const file = (name: string, rows: readonly object[]): string => writeRows(out, name, rows)
const common = {
  from: base,
  model: 'llama',
  adapter: 'lora:r=8,targets=all-linear',
  context: 256,
  valFraction: 0,
  evalEvery: 0,
  saveEvery: 0,
  seed,
  lr: Number(flags.lr),
  steps,
}

if (flags.preferences) await preferences()
else await instructions()

/** Definitions, and what the model knew before. */
async function instructions(): Promise<void> {
  const testFile = file('test', test.map(asRow))
  const data = [file('train', train.slice(0, 8 * steps).map(asRow))]
  const before = await scores(base, testFile)
  const seconds = await learn('learned', { task: 'chat', batch: 8, data })
  const after = await scores(join(out, 'learned'), testFile)
  console.log(`${steps} steps of 8 rows in ${seconds.toFixed(0)} s`)
  console.log('                          before    after')
  const line = (name: string, of: (scores: Scores) => string): void => console.log(`${name.padEnd(24)}${of(before).padStart(8)} ${of(after).padStart(8)}`) // biome-ignore format: one line
  line('perplexity', ({ perplexity }) => perplexity.toFixed(2))
  line('answers that end', ({ ended }) => percent(ended, 0))
  line('capitals, five examples', ({ capitals }) => percent(capitals, 0))
}

interface Scores {
  /** Of the tokens of the definitions. */
  perplexity: number
  /** Share of 100 sampled answers that end within 128 tokens. */
  ended: number
  /** Share of right answers with five examples in the prompt. */
  capitals: number
}

async function scores(folder: string, testFile: string): Promise<Scores> {
  const { metrics } = await evaluateRun(folder, testFile, { task: 'chat' })
  const model = await fromPretrained(folder, 'causal-lm')
  const tokenizer = await Tokenizer.fromFile(folder)
  const questions = questionsOf(TASKS.capitals.pairs).slice(0, smoke ? 7 : undefined)
  const { results } = await fewShot(model, tokenizer, questions, { shots: [5], draws: 0, instruction: TASKS.capitals.about }) // biome-ignore format: one line
  return { perplexity: metrics.perplexity, ended: await endedShare(model, tokenizer), capitals: results[0].accuracy.mean } // biome-ignore format: one line
}

async function endedShare(model: CausalLM, tokenizer: Tokenizer): Promise<number> {
  const stopTokens = [(await tokenizer.endOfTurn()) ?? []].flat()
  const writer = new Rollouts(model, { maxTokens: smoke ? 4 : 128, stopTokens })
  let ended = 0
  const asked = test.slice(0, 100)
  for (let start = 0; start < asked.length; start += 20) {
    const some = asked.slice(start, start + 20)
    const prompts = await Promise.all(
      some.map(async (term) => {
        const messages = [{ role: 'user' as const, content: question(term) }]
        const text = await tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true })
        return tokenizer.encode(text, { addSpecialTokens: false })
      }),
    )
    const written = await writer.write(prompts, { seed: seed + start })
    ended += written.flat().filter((answer) => answer.ended).length
  }
  return ended / asked.length
}

/** The right definition against another one. */
async function preferences(): Promise<void> {
  const pairs = (all: readonly Term[]): object[] =>
    all.flatMap((term, i) => {
      const { definition: rejected } = all[(i + 1) % all.length]
      const chosen = term.definition
      return chosen === rejected ? [] : [{ prompt: question(term), chosen, rejected }]
    })
  const testFile = file('test-pairs', pairs(test.slice(0, 200)))
  const data = [file('pairs', pairs(train.slice(0, 4 * steps)))]
  for (const task of ['reward', 'dpo']) {
    const seconds = await learn(task, { task, batch: 4, data, ...(task === 'dpo' && { lr: undefined }) }) // biome-ignore format: one line
    const { metrics } = await evaluateRun(join(out, task), testFile)
    const shown = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`)
    console.log(`${task.padEnd(7)} ${shown.join(', ')} (${seconds.toFixed(0)} s)`)
  }
}

/** Trains an adapter, and returns the seconds that it took. */
async function learn(name: string, keys: Record<string, unknown>): Promise<number> {
  const all = { ...common, ...keys }
  return (await trainInto(join(out, name), all, smoke ? undefined : name)).seconds
}
