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

/** Pairs of a question and its answer; five are examples, the others are asked. */
const TASKS: Record<string, { about: string; pairs: string }> = {
  capitals: {
    about: 'Country and its capital.',
    pairs: `France Paris, Japan Tokyo, Egypt Cairo, Peru Lima, Norway Oslo, Spain Madrid, Italy Rome,
      Germany Berlin, Russia Moscow, China Beijing, Canada Ottawa, Greece Athens, Cuba Havana,
      Kenya Nairobi, Poland Warsaw, Portugal Lisbon, Ireland Dublin, Austria Vienna, Hungary Budapest,
      Thailand Bangkok, Vietnam Hanoi, Iran Tehran, Iraq Baghdad, Sweden Stockholm, Finland Helsinki,
      Denmark Copenhagen, Belgium Brussels, Chile Santiago, Turkey Ankara, Syria Damascus`,
  },
  plurals: {
    about: 'Noun and its plural.',
    pairs: `cat cats, box boxes, child children, city cities, leaf leaves, dog dogs, man men,
      woman women, foot feet, tooth teeth, mouse mice, goose geese, knife knives, wife wives,
      wolf wolves, baby babies, story stories, bus buses, dish dishes, church churches, hero heroes,
      potato potatoes, person people, house houses, book books, lady ladies, half halves, watch watches,
      apple apples, fox foxes`,
  },
  opposites: {
    about: 'Word and its opposite.',
    pairs: `hot cold, big small, day night, up down, happy sad, open closed, black white, good bad,
      old young, fast slow, rich poor, hard soft, light dark, left right, early late, strong weak,
      high low, full empty, wet dry, true false, love hate, life death, war peace, north south,
      east west, first last, start end, win lose, buy sell, push pull`,
  },
}

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
  const questions = pairs
    .split(',')
    .slice(0, values.smoke ? 7 : undefined)
    .map((pair) => pair.trim().split(' '))
    .map(([question, answer]) => ({ prompt: `${question} ->`, answer }))
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
