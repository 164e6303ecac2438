// Generates docs/config-keys.md, which says what Heed does with each key that transformers 5.24 saves. The sources are
// test/fixtures/config-keys.json (scripts/fixtures/config_keys.py), tokenizer-keys.json in the same folder
// (tokenizer_keys.py) and the schemas of the families.
//
//   npm run generate:config-keys   writes the table
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { unreadImageKeys } from '../src/data/images/processor-config.ts'
import { ImageProcessor } from '../src/data/index.ts'
import { modelDefinition } from '../src/models/index.ts'
import { sentenceFiles } from '../src/models/sentence-config.ts'
import { schemaOf } from '../src/models/shared/config.ts'
import { generalKeys, generationKeys } from '../src/models/shared/config-keys.ts'
import { isReadKey, unreadTokenizerKeys } from '../src/tokenizers/formats/config-keys.ts'
import type { UnreadKeys } from '../src/util/unread-keys.ts'

/** The keys that transformers saves, each with a value. */
export interface SavedKeys {
  models: Record<string, Record<string, unknown>>
  aliases: Record<string, Record<string, string>>
  images: string[]
}

/** The keys of tokenizers by version and class, and of the files of sentence-transformers. */
export interface SavedTokenizerKeys {
  tokenizers: Record<string, Record<string, string[]>>
  sentences: Record<string, string[]>
  /** The class of AutoTokenizer by model_type. */
  autoClasses: Record<string, string>
}

export type Answer = 'obeyed' | 'no effect' | `warning, except ${string}`

const FIXTURE = new URL('../test/fixtures/config-keys.json', import.meta.url)
const TOKENIZER_FIXTURE = new URL('../test/fixtures/tokenizer-keys.json', import.meta.url)
const TABLE = new URL('../docs/config-keys.md', import.meta.url)

export const savedTokenizerKeys = (): SavedTokenizerKeys =>
  JSON.parse(readFileSync(TOKENIZER_FIXTURE, 'utf8'))

export const savedKeys = (): SavedKeys => JSON.parse(readFileSync(FIXTURE, 'utf8'))

/** What a family does with a key of config.json; undefined for an unknown key. */
export function answerOf(modelType: string, key: string, value: unknown): Answer | undefined {
  const { config } = modelDefinition(modelType)
  const { aliases, unread = {} } = config
  if (Object.hasOwn(aliases, key)) return 'obeyed'
  const { data = {} } = schemaOf(config).safeParse({ [key]: value })
  if (Object.hasOwn(data, key)) return 'obeyed'
  return unreadAnswer(key, { ...generalKeys, ...generationKeys, ...unread })
}

/** What image processors do with a key of preprocessor_config.json. */
export function imageAnswer(key: string): Answer | undefined {
  const unread = unreadAnswer(key, unreadImageKeys)
  if (unread) return unread
  const read = new ImageProcessor({ image_processor_type: 'CLIPImageProcessor', crop_pct: 1 })
    .config
  return Object.hasOwn(read, key) ? 'obeyed' : undefined
}

/** What tokenizers do with a key of tokenizer_config.json. */
export function tokenizerAnswer(key: string, className: string): string | undefined {
  const name = className.replace(/Tokenizer(Fast)?$/, '')
  if (isReadKey(key, name, 'tokenizer.json')) return 'obeyed'
  const answer = unreadAnswer(key, unreadTokenizerKeys(name))
  const isConverted = isReadKey(key, name, 'other')
  return answer && isConverted ? `${answer} (without a tokenizer.json: obeyed)` : answer
}

/** The files of sentence-transformers, by the names in the fixture. */
const SENTENCE_FILES: Record<string, { file: string; keys: keyof typeof sentenceFiles }> = {
  'modules.json': { file: 'modules.json', keys: 'modules' },
  'config_sentence_transformers.json': {
    file: 'config_sentence_transformers.json',
    keys: 'model',
  },
  Transformer: { file: 'sentence_bert_config.json', keys: 'transformer' },
  Pooling: { file: '1_Pooling/config.json', keys: 'pooling' },
  Normalize: { file: '2_Normalize/config.json', keys: 'normalize' },
}

/** What sentence encoders do with a key; folders with other modules are refused. */
export function sentenceAnswer(part: string, key: string): string | undefined {
  if (!Object.hasOwn(SENTENCE_FILES, part)) return 'the folder is refused'
  const { schema, unread } = sentenceFiles[SENTENCE_FILES[part].keys]
  return Object.hasOwn(schema.shape, key) ? 'obeyed' : unreadAnswer(key, unread)
}

function unreadAnswer(key: string, unread: UnreadKeys): Answer | undefined {
  if (!Object.hasOwn(unread, key)) return undefined
  const values = unread[key]
  if (values === 'any') return 'no effect'
  return `warning, except ${[null, ...values].map((value) => JSON.stringify(value)).join(', ')}`
}

/** The table of tokenizer_config.json: for each key, the answers and the classes that give them. */
function tokenizerLines({ tokenizers }: SavedTokenizerKeys): string[] {
  const classes = [...new Set(Object.values(tokenizers).flatMap(Object.keys))].sort()
  const keys = new Set(Object.values(tokenizers).flatMap((all) => Object.values(all).flat()))
  return [...keys].sort().map((key) => {
    const answers = new Map<string, string[]>()
    for (const name of classes) {
      const answer = tokenizerAnswer(key, name) ?? 'unknown'
      answers.set(answer, [...(answers.get(answer) ?? []), name])
    }
    const cells = [...answers].map(([answer, names]) => {
      if (answers.size === 1) return answer
      return names.includes(EVERY) ? `others: ${answer}` : `${names.join(', ')}: ${answer}`
    })
    return `| \`${key}\` | ${cells.join('; ')} |`
  })
}

/** The classes without a separate answer. */
const EVERY = 'every class'

function sentenceLines({ sentences }: SavedTokenizerKeys): string[] {
  return Object.entries(sentences).flatMap(([part, keys]) =>
    keys.map((key) => {
      const file = SENTENCE_FILES[part]?.file ?? `the folder of ${part}`
      return `| ${file} | \`${key}\` | ${sentenceAnswer(part, key) ?? 'unknown'} |`
    }),
  )
}

/** The table as Markdown. */
export function configKeysTable(
  { models, images }: SavedKeys,
  tokenizerKeys: SavedTokenizerKeys,
): string {
  const rows = new Map<string, Map<string, string[]>>()
  for (const [family, keys] of Object.entries(models))
    for (const [key, value] of Object.entries(keys)) {
      const answers = rows.get(key) ?? new Map<string, string[]>()
      const answer = answerOf(family, key, value) ?? 'unknown'
      answers.set(answer, [...(answers.get(answer) ?? []), family])
      rows.set(key, answers)
    }
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, answers]) => {
      const cells = [...answers].map(([answer, families]) =>
        answers.size === 1 && families.length === Object.keys(models).length
          ? answer
          : `${answer}: ${families.join(', ')}`,
      )
      return `| \`${key}\` | ${cells.join('; ')} |`
    })
  const imageLines = images.map((key) => `| \`${key}\` | ${imageAnswer(key) ?? 'unknown'} |`)
  return [
    ...[HEAD, ...lines, IMAGES, ...imageLines],
    ...[TOKENIZERS, ...tokenizerLines(tokenizerKeys), SENTENCES, ...sentenceLines(tokenizerKeys)],
    '',
  ].join('\n')
}

const HEAD = `# Keys of settings files

What Heed does with each key that transformers 5.24 saves. "No effect" means that the key changes nothing that Heed
computes. "Warning" means that Heed names the key in a warning and ignores it. Keys that are not in this table cause a
warning, too. The keys of generation_config.json are in [generation-config.md](generation-config.md). This file is
generated by \`npm run generate:config-keys\`.

## config.json

| key | answer |
|---|---|`

const IMAGES = `
## preprocessor_config.json

| key | answer |
|---|---|`

const TOKENIZERS = `
## tokenizer_config.json

The keys that the tokenizers of transformers 5.24 and 4.57 save, have as arguments or read. Keys that end in \`_token\` are
special tokens, whatever their name. Keys that are not in this table cause a warning.

| key | answer |
|---|---|`

const SENTENCES = `
## Files of sentence-transformers

The keys that sentence-transformers 6.2 saves.

| file | key | answer |
|---|---|---|`

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(TABLE, configKeysTable(savedKeys(), savedTokenizerKeys()))
