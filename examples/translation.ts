// English into French with a fixed vector, with attention, and with attention alone: an LSTM, a GRU
// and a Transformer learn for the same time from the same sentences, and are compared by the length of
// what they translate.
//
//     npm run example:translation -- [--minutes 2.6] [--seed 1] [--data FOLDER] [--out FOLDER] [--smoke]
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { noGrad, tensor } from 'heed'
import { generateSeq2Seq } from 'heed/generate'
import { bleu, chrf, chrfMetric, pairedBootstrap } from 'heed/metrics'
import { captureAttention } from 'heed/nn'
import { addSpecialTokens, type Tokenizer, trainTokenizer } from 'heed/tokenizers'
import { drawAttention, drawCurves } from './plots.ts'
import { helpPairs, type Pair, toyPairs } from './translation/pairs.ts'
import { makeSystems, type System, trainInTurns, translate } from './translation/systems.ts'

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2.6' },
    seed: { type: 'string', default: '1' },
    data: { type: 'string', default: 'build/libreoffice-help' },
    out: { type: 'string', default: 'build/translation' },
    smoke: { type: 'boolean', default: false },
  },
})
const { smoke, out } = flags
const seed = Number(flags.seed)
const seconds = smoke ? 2 : 60 * Number(flags.minutes)
const LONGEST = 64 // tokens

const all = smoke ? toyPairs() : helpPairs(flags.data)
const tokenizer = withEnds(all)
const encoded = ({ source, target }: Pair) => ({
  source: tokenizer.encode(source),
  target: tokenizer.encode(target),
})
const pairs = all.filter((pair) => {
  const { source, target } = encoded(pair)
  return Math.max(source.length, target.length) <= LONGEST
})
const words = ({ source }: Pair): number => source.split(' ').length
// Held out: a few of all, and more of the long ones, which are rarer.
const isHeldOut = (pair: Pair, i: number): boolean => i % (words(pair) > 20 ? 12 : 40) === 0
const test = pairs.filter(isHeldOut)
const known = new Set(test.map(({ source }) => source))
const examples = pairs.filter(({ source }) => !known.has(source)).map(encoded)
console.log(`${examples.length} pairs to learn from, ${test.length} to translate; ${tokenizer.vocabSize} tokens`) // biome-ignore format: one line

const size = smoke
  ? { width: 32, batchSize: 16, warmUp: 10 }
  : { width: 128, batchSize: 32, warmUp: 200 }
const systems = makeSystems(examples, { ...size, tokenizer, longest: LONGEST, seed, seconds })
for (const { name, model } of systems) {
  const count = model.parameters().reduce((sum, { size }) => sum + size, 0)
  console.log(`${name}: ${(count / 1e6).toFixed(1)} M parameters`)
}
await trainInTurns(systems, seconds, ({ name, trainer, loss, seconds }) => {
  if (!smoke)
    console.log(`${seconds.toFixed(0).padStart(4)} s  ${name}: step ${trainer.step}, loss ${loss.toFixed(3)}`) // biome-ignore format: one line
})

const references = test.map(({ target }) => target)
const written: string[][] = []
for (const system of systems) {
  written.push(await translate(system, tokenizer, test))
  const found = written[written.length - 1]
  console.log(
    `${system.name}: ${system.trainer.step} steps, BLEU ${bleu(found, references).toFixed(1)}, chrF ${chrf(found, references).toFixed(1)}`,
  )
}
mkdirSync(out, { recursive: true })
byLength()
compareLong()
await showAttention(systems[1])
writeFileSync(
  join(out, 'translations.json'),
  JSON.stringify(test.map((pair, i) => ({ ...pair, written: written.map((found) => found[i]) })), null, 1), // biome-ignore format: one line
)
console.log(`Drawings and translations: ${out}`)

/** chrF of each system on sentences of each length. */
function byLength(): void {
  const edges = [1, 6, 11, 16, 21, 31, Number.POSITIVE_INFINITY]
  const groups = edges.slice(0, -1).map((from, k) => {
    const places = test.flatMap((pair, i) => (words(pair) >= from && words(pair) < edges[k + 1] ? [i] : [])) // biome-ignore format: one line
    const name =
      edges[k + 1] === Number.POSITIVE_INFINITY ? `${from}+` : `${from}–${edges[k + 1] - 1}`
    return { name: `${name} (${places.length})`, places }
  })
  const filled = groups.filter(({ places }) => places.length > 0)
  const pick = (texts: readonly string[], places: readonly number[]): string[] => places.map((i) => texts[i]) // biome-ignore format: one line
  const curves = systems.map(({ name }, k) => ({
    name,
    values: filled.map(({ places }) => chrf(pick(written[k], places), pick(references, places))),
  }))
  console.log(
    `\nchrF by words (sentences)  ${filled.map(({ name }) => name.padStart(12)).join('')}`,
  )
  for (const { name, values } of curves)
    console.log(`${name.padEnd(25)}  ${values.map((x) => x.toFixed(1).padStart(12)).join('')}`)
  const title = `chrF after ${smoke ? 'seconds' : `${flags.minutes} minutes`} of training each`
  const xName = 'words of the English sentence (sentences in the test)'
  const axes = { title, xName, places: filled.map(({ name }) => name), yStep: 10 }
  writeFileSync(join(out, 'chrf-by-length.svg'), drawCurves(axes, curves))
}

/** Whether the differences on long sentences are more than luck. */
function compareLong(): void {
  const most = smoke ? 5 : 20
  const long = test.flatMap((pair, i) => (words(pair) > most ? [i] : []))
  console.log(`\nSentences of more than ${most} words: ${long.length}`)
  for (const [a, b] of [
    [0, 1],
    [1, 2],
    [0, 2],
  ]) {
    // biome-ignore format: pairs
    const [first, second] = [a, b].map((k) => long.map((i) => written[k][i]))
    const wanted = long.map((i) => references[i])
    const { difference, interval, pValue } = pairedBootstrap(chrfMetric(), [first, second], wanted, { seed }) // biome-ignore format: one line
    const range = interval.map((x) => x.toFixed(1)).join(' to ')
    console.log(`${systems[b].name} − ${systems[a].name}: ${difference.toFixed(1)} chrF (95 %: ${range}), p = ${pValue.toFixed(3)}`) // biome-ignore format: one line
  }
}

/** What the GRU looks at while it translates one sentence. */
async function showAttention({ model }: System): Promise<void> {
  const { source } = test.find((pair) => words(pair) >= 8 && words(pair) <= 12) ?? test[0]
  const ids = tokenizer.encode(source)
  const [target] = await generateSeq2Seq(model, [ids], {
    maxTokens: 40,
    stopTokens: [tokenizer.eosTokenId as number],
  })
  const row = (tokens: readonly number[]) => tensor([[...tokens]], { dtype: 'i32' })
  const { attentions } = captureAttention(() =>
    noGrad(() => model.forward(row(ids), row([model.decoderStartTokenId, ...target]))),
  )
  const [weights] = [...attentions.values()]
  const [[rows]] = (await weights.tolist()) as number[][][][]
  const names = (tokens: readonly number[]): string[] => tokens.map((id) => tokenizer.decode([id]).trim() || '·') // biome-ignore format: one line
  const end = tokenizer.eosTokenId as number
  writeFileSync(
    join(out, 'attention.svg'),
    drawAttention(names(ids), names([...target, end]), rows),
  )
  console.log(`\n${source}\n→ ${tokenizer.decode(target, { skipSpecialTokens: true })}`)
}

/** One vocabulary for both languages; each text gets an end. */
function withEnds(all: readonly Pair[]): Tokenizer {
  const names = { pad_token: '<pad>', eos_token: '</s>' }
  const texts = all.flatMap(({ source, target }) => [source, target])
  const trained = trainTokenizer(texts, {
    type: 'bpe',
    vocabSize: smoke ? 400 : 2000,
    specialTokens: Object.values(names),
  })
  return addSpecialTokens(trained, { names, template: { single: '$A </s>', pair: '$A $B </s>' } })
}
