// Readers of vocabularies, chat templates and settings.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseGenerationConfig } from '../../src/generate/config/generation-config.ts'
import { matchJsonSchema, matchRegex } from '../../src/generate/index.ts'
import { readJson } from '../../src/io/files/json.ts'
import { parseJson } from '../../src/io/files/json-parse.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { attempt } from './attempt.ts'
import type { FuzzReader, Sample, SampleFile } from './input.ts'
import { fixture, fixtureJson, jsonFile, samplesOf, utf8 } from './samples.ts'

const TEXTS = [
  "I'm sure they've said it's\n what we'll do; 日本語 👍🏽 e\u0301 ﬁ 123 4567",
  '<s>[CLS] constructor __proto__ toString </s><|endoftext|>\u0000\u200d',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab',
]

async function useTokenizer(path: string): Promise<void> {
  const tokenizer = await Tokenizer.fromFile(path)
  for (const text of TEXTS) {
    await attempt(async () => {
      const { ids } = tokenizer.encodeWithOffsets(text, { pair: 'a b', maxLength: 40 })
      tokenizer.decode(ids)
      tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })
      const stream = tokenizer.decodeStream()
      for (const id of ids) stream.push(id)
      stream.end()
    })
  }
  await attempt(async () => tokenizer.batch(TEXTS))
  await attempt(async () => tokenizer.applyChatTemplate([{ role: 'user', content: 'Hello' }]))
  tokenizer.tokenBytes(0)
  const { bosTokenId, eosTokenId, additionalSpecialTokenIds } = tokenizer
  return void [bosTokenId, eosTokenId, additionalSpecialTokenIds]
}

type Stored = Record<string, string | { base64: string }>

/** Folders with the files of each kind of vocabulary. */
function folderSamples(): Sample[] {
  const folders = Object.values(fixtureJson('tokenizer-folders.json')) as { files: Stored }[]
  const marian = ['source.spm', 'target.spm', 'vocab.json', 'tokenizer_config.json']
  const tekken = {
    config: { pattern: ' ?\\w+|\\s+', num_vocab_tokens: 260, default_vocab_size: 262, default_num_special_tokens: 2, version: 'v3' }, // biome-ignore format: one line
    vocab: Array.from({ length: 258 }, (_, rank) => ({
      rank,
      token_bytes: Buffer.from(rank < 256 ? [rank] : [97, 98 + rank - 256]).toString('base64'),
      token_str: null,
    })),
    special_tokens: [
      { rank: 0, token_str: '<unk>', is_control: true },
      { rank: 1, token_str: '<s>', is_control: true },
    ],
  }
  const ranks = Array.from(
    { length: 256 },
    (_, rank) => `${Buffer.from([rank]).toString('base64')} ${rank}`,
  ).join('\n')
  return [
    ...folders.map(({ files }) => ({ files: filesOf(files) })),
    {
      files: Object.fromEntries(
        marian.map((name): [string, SampleFile] => [name, fixture(`marian/tokenizer/${name}`)]),
      ),
    },
    { files: { 'tekken.json': jsonFile(tekken) } },
    { files: { 'tiktoken.model': utf8(ranks), 'tokenizer_config.json': jsonFile({}) } },
  ]
}

function filesOf(files: Stored): Record<string, SampleFile> {
  return Object.fromEntries(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string'
        ? utf8(content)
        : new Uint8Array(Buffer.from(content.base64, 'base64')),
    ]),
  )
}

/** Random tokenizers with every kind of step, and patterns that take exponential time with backtracking. */
function pipelineSamples(): Sample[] {
  const lines = Buffer.from(fixture('tokenizer-pipelines.jsonl')).toString().trim().split('\n')
  const slow = ['(?:a|a){1,40}b', 'a*a*a*b'].map((Regex) => ({
    tokenizer: {
      model: { type: 'WordLevel', vocab: { a: 0, '[UNK]': 1 }, unk_token: '[UNK]' },
      pre_tokenizer: { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
      added_tokens: [],
    },
  }))
  return [...lines.map((line) => JSON.parse(line)), ...slow].map(({ tokenizer, config = {} }) => {
    return {
      files: {
        'tokenizer.json': jsonFile(tokenizer),
        'tokenizer_config.json': jsonFile(config),
      },
    }
  })
}

const MESSAGES = [
  { role: 'system', content: 'Be short.' },
  { role: 'user', content: 'What is 1 + 1?' },
  {
    role: 'assistant',
    content: '',
    tool_calls: [{ type: 'function', function: { name: 'add', arguments: { a: 1, b: [1] } } }],
  },
  { role: 'tool', name: 'add', content: '2' },
]

const TEMPLATES = [
  `{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message.content | trim }} [/INST]{% elif message.role not in ["system", "assistant", "tool"] %}{{ raise_exception('no ' ~ message.role) }}{% else %}{{- (message['content'] | string)[0:3] -}}{% endif %}{% endfor %}`,
  `{%- macro show(x, deep=true) -%}{{ x | tojson(indent=2) }}{%- if deep and x is mapping -%}{%- for k, v in x.items() -%}{{ k }}={{ show(v, false) }}{%- endfor -%}{%- endif -%}{%- endmacro -%}{%- set ns = namespace(n=0, s='') -%}{%- for m in messages -%}{%- set ns.n = ns.n + 1 -%}{{ show(m) }}{%- endfor -%}{{ ns.n }}{% filter upper %}x{% endfilter %}{% macro twice() %}{{ caller(1) }}{{ caller(2) }}{% endmacro %}{% call(a) twice() %}{{ a }}{% endcall %}`,
  `{% set xs = range(5) | list %}{{ xs | map('string') | join(', ') }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ '%s-%05.2f' | format('a', 1.5) }}{{ "{:>10}|{!r}".format('x', none) }}{{ xs[::-1] }}{{ 7 // 2 ** 3 % 4 }}{{ strftime_now('%Y') }}{{ (1 if xs is defined else 2) ~ 'é' }}{{ 'a,b'.split(',')[-1] * 3 }}{{ xs | groupby('x') if false }}{% generation %}{{ xs | sum }}{% endgeneration %}`,
]

const HOSTILE_TEMPLATES = [
  '{% for i in range(99999) if i in range(99999) %}{% endfor %}',
  `{{ ${'('.repeat(20_000)}1${')'.repeat(20_000)} }}`,
  '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
]

interface JinjaCases {
  variables: Record<string, unknown>
  /** Template and expected text; no text if Python raises an error. */
  cases: [template: string, text: string | null, ...error: string[]][]
}

const jinjaCases = (): JinjaCases => fixtureJson('jinja.json')

/** Templates of the tests, which use every filter, test and method with arguments. */
function templateSamples(): Sample[] {
  const { cases } = jinjaCases()
  const works = cases.filter(([, text]) => text !== null).map(([template]) => template)
  const joined: string[] = []
  for (let i = 0; i < works.length; i += 20) joined.push(works.slice(i, i + 3).join(''))
  const sampleOf = (template: string): Sample => ({ files: { 'template.jinja': utf8(template) } })
  return [
    ...[...TEMPLATES, ...TEMPLATES, ...joined].map(sampleOf),
    ...HOSTILE_TEMPLATES.map((template): Sample => ({ ...sampleOf(template), refused: true })),
  ]
}

const plain = (): Tokenizer => {
  const characters = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
  const vocab = Object.fromEntries(characters.map((character, id) => [character, id]))
  return Tokenizer.fromJSON({ model: { type: 'BPE', vocab, merges: [] }, added_tokens: [] })
}

let tokenizer: Tokenizer | undefined
const small = (): Tokenizer => {
  tokenizer ??= plain()
  return tokenizer
}

let known: Record<string, unknown> | undefined
const variables = (): Record<string, unknown> => {
  known ??= jinjaCases().variables
  return known
}

const textOf = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')

const JINJA_WORDS = [
  ...['{{ ', ' }}', '{% ', ' %}', '{%- ', ' -%}', '{# ', ' #}', 'for x in ', 'range(99999)'],
  ...['endfor', 'if ', 'endif', 'else', 'set x = ', 'macro m()', 'endmacro', 'm()', 'recursive'],
  ...['loop(x)', 'loop.', 'messages', 'message', '.items()', '.content', '[', ']', '(', ')', '{'],
  ...['}', ' | ', ' ~ ', ' * 9999999', ' ** 99999', ' // 0', ' % 0', 'not ', ' in ', ' is ', '-1'],
  ...['none', 'true', '"', "'", '.format(', "'%99999999d'", "'{:99999999}'", '.join(', '.replace('],
  ...['|tojson', '|sort', '|batch(', '|indent(', '|center(99999999)', '|wordwrap(', '[::', ':0]'],
  ...['.__class__', '.__init__', '.constructor', '.__proto__', 'namespace(', 'dict(', 'self', ','],
]

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 20 },
    code: { type: 'string', pattern: '^[a-z]+(-[0-9]{1,3})?$' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    mail: { type: 'string', format: 'date-time' },
    tags: { type: 'array', items: { enum: ['a', 'b', 1, null] }, minItems: 1, maxItems: 4 },
    next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
    x: { const: { a: [1] } },
    price: { type: 'number', exclusiveMinimum: 0, maximum: 99 },
  },
  required: ['name', 'age'],
  $defs: { node: { type: 'object', properties: { v: { type: 'boolean' } } } },
}

const hide = (): Float32Array => new Float32Array(small().vocabSize)

export const textReaders: readonly FuzzReader[] = [
  {
    name: 'tokenizer.json',
    samples: pipelineSamples,
    read: useTokenizer,
    words: ['(?:a|a)*b', '\\p{L}', '(a*)*', '\\1', '[^', ']', '(?=', '{1,999}', '|', '.*'],
  },
  {
    name: 'tokenizer-folder',
    samples: folderSamples,
    read: useTokenizer,
    words: ['#version: 0.2', '\n', ' ', 'Ġ', '##', '[UNK]', '▁', 'IQ== 0'],
  },
  {
    name: 'gguf-vocabulary',
    samples: () =>
      samplesOf(
        ['llama', 'qwen2', 'qwen3', 'gemma'].map((name) => `gguf/${name}.gguf`),
        'v.gguf',
      ),
    read: (folder) => useTokenizer(join(folder, 'v.gguf')),
  },
  {
    name: 'chat-template',
    samples: templateSamples,
    read: async (folder) => {
      const chatTemplate = textOf(folder, 'template.jinja')
      const tools = [
        { type: 'function', function: { name: 'add', parameters: { type: 'object' } } },
      ]
      const options = { chatTemplate, tools, variables: variables() }
      await attempt(() =>
        small().applyChatTemplate(MESSAGES, { ...options, continueFinalMessage: true }),
      )
      return small().applyChatTemplate(MESSAGES, { ...options, addGenerationPrompt: true })
    },
    words: JINJA_WORDS,
  },
  {
    name: 'json',
    samples: () =>
      [SCHEMA, [MESSAGES], { a: [1.5e10, -0, 'é\n\u0001', true, null] }].map((value) => ({
        files: { 'a.json': jsonFile(value) },
      })),
    read: async (folder) => {
      await attempt(() => readJson(join(folder, 'a.json')))
      return parseJson(textOf(folder, 'a.json'), 'a.json', { strict: true })
    },
    words: ['{', '}', '[', ']', '"', ':', ',', '\\u', 'NaN', '"__proto__":{', '1e5'],
  },
  {
    name: 'generation_config',
    samples: () => [
      { files: { 'generation_config.json': fixture('generation_config.json') } },
      { files: { 'generation_config.json': fixture('t5/tied/generation_config.json') } },
    ],
    read: async (folder) => {
      const json = await readJson(join(folder, 'generation_config.json'))
      return parseGenerationConfig(json as never)
    },
  },
  {
    name: 'json-schema',
    samples: () => [
      { files: { 'schema.json': jsonFile(SCHEMA) } },
      { files: { 'schema.json': jsonFile(SCHEMA.properties.tags) } },
    ],
    read: async (folder) => {
      const schema = await readJson(join(folder, 'schema.json'))
      matchJsonSchema(schema, small()).process(hide(), { tokens: [], promptLength: 0, maxTokens: 50 }) // biome-ignore format: one line
    },
    words: ['(a|b)*', '{1,99999}', '\\d', '[^a]', '"pattern":"'],
  },
  {
    name: 'regex',
    samples: () =>
      ['(a|b)*c{2,5}[^x-z]?', '\\d+(\\.\\d{1,3})?', 'é|[\\w-]+', '^(?:ab|cd){3}$'].map(
        (pattern) => ({ files: { 'pattern.txt': utf8(pattern) } }),
      ),
    read: async (folder) =>
      matchRegex(textOf(folder, 'pattern.txt'), small()).process(hide(), {
        tokens: [],
        promptLength: 0,
        maxTokens: 50,
      }),
    words: ['(', ')', '[', ']', '{', '}', '*', '+', '?', '|', '\\', '{9,99999}', '\\u{', '(?='],
  },
]
