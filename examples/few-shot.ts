// Zero, one and five examples in the prompt: what SmolLM2 makes of them (Brown et al., 2020), and of examples whose answers
// are exchanged (Min et al., 2022).
//
//     npm run example:few-shot -- SmolLM2-135M-Instruct.Q4_1.gguf
//     npm run example:few-shot -- SmolLM2-135M-Instruct.Q4_1.gguf --draws 5   # random examples instead of the first
//     npm run example:few-shot -- --smoke     # seconds, with a tiny model of random weights

import { parseArgs } from 'node:util'
import { fromPretrained } from 'heed/models'
import { Tokenizer } from 'heed/tokenizers'
import { type DrawnAccuracy, fewShot } from 'heed/train'
import { questionsOf, TASKS } from './few-shot/words.ts'

const WIDTH = 13
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, draws: { type: 'string', default: '0' } },
})
const file = values.smoke ? 'test/fixtures/gguf/llama.gguf' : positionals[0]
if (file === undefined) {
  console.error('Name a GGUF file of SmolLM2: npm run example:few-shot -- SmolLM2-135M.gguf')
  process.exit(2)
}
const model = (await fromPretrained(file, 'causal-lm')).eval()
const tokenizer = await Tokenizer.fromFile(file)
const draws = Number(values.draws)

const columns = ['0 examples', '1 example', '5 examples', '1 permuted', '5 permuted']
console.log('right answers     '.concat(...columns.map((name) => name.padEnd(WIDTH))).trimEnd())
for (const [name, { about, pairs }] of Object.entries(TASKS)) {
  const questions = questionsOf(pairs).slice(0, values.smoke ? 7 : undefined)
  const { results } = await fewShot(model, tokenizer, questions, {
    shots: [0, 1, 5],
    draws,
    instruction: about,
  })
  const cells = [
    ...results.map(({ accuracy, questions: asked }) => shown(accuracy, asked)),
    ...results.flatMap(({ permuted, questions: asked }) =>
      permuted ? shown(permuted, asked) : [],
    ),
  ]
  console.log(
    name
      .padEnd(18)
      .concat(...cells.map((cell) => cell.padEnd(WIDTH)))
      .trimEnd(),
  )
}

/** The right answers of a single draw, or the mean accuracy of several with its interval. */
function shown({ mean, interval, draws }: DrawnAccuracy, asked: number): string {
  if (draws.length === 1 || !interval) return `${Math.round(mean * asked)} of ${asked}`
  return `${(100 * mean).toFixed(0)} ± ${(50 * (interval[1] - interval[0])).toFixed(0)} %`
}
