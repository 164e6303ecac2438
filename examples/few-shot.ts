// Zero, one and five examples in the prompt: what SmolLM2 makes of them (Brown et al., 2020).
//
//     npm run example:few-shot -- SmolLM2-135M-Instruct.Q4_1.gguf
//     npm run example:few-shot -- --smoke     # seconds, with a tiny model of random weights

import { generate } from 'heed/generate'
import { fromPretrained } from 'heed/models'
import { Tokenizer } from 'heed/tokenizers'

/** Pairs of a question and its answer; the first five are examples, the others are asked. */
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

const smoke = process.argv.includes('--smoke')
const file = smoke ? 'test/fixtures/gguf/llama.gguf' : process.argv[2]
if (file === undefined) {
  console.error('Name a GGUF file of SmolLM2: npm run example:few-shot -- SmolLM2-135M.gguf')
  process.exit(2)
}
const model = (await fromPretrained(file, 'causal-lm')).eval()
const tokenizer = await Tokenizer.fromFile(file)

console.log('right answers     0 examples   1 example    5 examples')
for (const [name, { about, pairs }] of Object.entries(TASKS)) {
  const all = pairs.split(',').map((pair) => pair.trim().split(' '))
  const [examples, asked] = [all.slice(0, 5), all.slice(5, smoke ? 7 : undefined)]
  const shares: string[] = []
  for (const shots of [0, 1, 5]) {
    let right = 0
    for (const [question, answer] of asked) {
      const shown = examples.slice(0, shots).map(([q, a]) => `${q} -> ${a}\n`)
      const said = await answerTo(`${about}\n${shown.join('')}${question} ->`)
      if (said.toLowerCase() === answer.toLowerCase()) right++
    }
    shares.push(`${right} of ${asked.length}`.padEnd(13))
  }
  console.log(`${name.padEnd(18)}${shares.join('')}`.trimEnd())
}

/** The first word of the most likely continuation. */
async function answerTo(prompt: string): Promise<string> {
  let text = ''
  for await (const piece of generate(model, tokenizer, prompt, { maxTokens: 8, temperature: 0 })) {
    text += piece
    if (/\S\s/.test(text)) break
  }
  return /[\p{L}'-]+/u.exec(text)?.[0] ?? ''
}
