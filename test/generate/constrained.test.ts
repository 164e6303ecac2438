import { beforeAll, describe, expect, it } from 'vitest'
import {
  BatchDecoder,
  beamSearch,
  createSampler,
  generate,
  type LogitsProcessor,
  matchJsonSchema,
  matchRegex,
  PromptLookup,
} from '../../src/generate/index.ts'
import { manualSeed } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { type Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { randomUniform } from '../../src/util/random.ts'
import { heedError } from '../support/heed-error.ts'

let bytes: Tokenizer
let characters: Tokenizer

beforeAll(() => {
  const text = '{"name": "Zoë", "age": 42, "tags": ["naïve", "日本語", "😀😁"]} true false null '
  bytes = trainTokenizer([text.repeat(20)], { type: 'bpe', vocabSize: 400 })
  characters = trainTokenizer([`${text}0123456789.+-eE\\:,[]`], { type: 'char' })
})

/** A text that is chosen at random among all that a rule lets through. */
function randomText(
  rule: LogitsProcessor,
  tokenizer: Tokenizer,
  seed: number,
  maxTokens = 60,
): string {
  const sampler = createSampler({ seed })
  const text = { tokens: [] as number[], promptLength: 0, maxTokens }
  while (text.tokens.length < maxTokens && !rule.ends?.(text)) {
    const scores = Float32Array.from(
      { length: tokenizer.vocabSize + 3 },
      (_, i) => 4 * randomUniform(seed, text.tokens.length, i),
    )
    rule.process(scores, text)
    const token = sampler.choose(scores)
    if (token === tokenizer.eosTokenId) break
    text.tokens.push(token)
  }
  return tokenizer.decode(text.tokens)
}

const texts = (rule: LogitsProcessor, tokenizer = bytes, maxTokens?: number): string[] =>
  Array.from({ length: 25 }, (_, seed) => randomText(rule, tokenizer, seed, maxTokens))

describe('a regular expression', () => {
  it.each([
    '[a-z]+( [a-z]+){2}!',
    '(Zoë|naïve|日本語|😀){1,5}',
    '\\d{4}-\\d\\d',
    '[^x]{3,9}',
    '.{5}',
  ])('%s is what the text matches, whole', (pattern) => {
    const whole = new RegExp(`^(?:${pattern})$`, 'u')
    const found = texts(matchRegex(pattern, bytes))
    for (const text of found) expect(text).toMatch(whole)
    expect(new Set(found).size).toBeGreaterThan(4)
  })

  it('is whole within the tokens that there are', () => {
    for (const tokenizer of [bytes, characters])
      for (const text of texts(matchRegex('"[ao]*"(, "[ao]+")*;?e', tokenizer), tokenizer, 12))
        expect(text).toMatch(/^"[ao]*"(, "[ao]+")*;?e$/)
  })
})

// biome-ignore lint/suspicious/noExplicitAny: any JSON
const schemas: [name: string, schema: object, fits: (value: any) => boolean][] = [
  [
    'an object with optional properties',
    {
      type: 'object',
      properties: { a: { type: 'integer' }, 'b"\n': { type: 'boolean' }, c: { type: 'null' }, d: { type: 'number' } },
      required: ['c'],
      additionalProperties: false,
    },
    (v) =>
      v.c === null &&
      Object.keys(v).every((key) => ['a', 'b"\n', 'c', 'd'].includes(key)) &&
      (v.a === undefined || Number.isInteger(v.a)) &&
      (v.d === undefined || Number.isFinite(v.d)),
  ],
  [
    'an array with bounds',
    { type: 'array', items: { enum: ['é', 2, null, { x: [1] }] }, minItems: 2, maxItems: 4 },
    (v) => v.length >= 2 && v.length <= 4 && v.every((x: unknown) => ['"é"', '2', 'null', '{"x":[1]}'].includes(JSON.stringify(x))),
  ],
  [
    'a string with bounds, in characters',
    { type: 'string', minLength: 2, maxLength: 3 },
    (v) => [2, 3].includes([...v].length),
  ],
  ['any string', { type: 'string' }, (v) => typeof v === 'string'],
  ['a pattern somewhere', { type: 'string', pattern: '\\d"[\\\\/]' }, (v) => /\d"[\\/]/.test(v)],
  ['a pattern of the whole', { type: 'string', pattern: '^(é|\\n){2,3}$' }, (v) => /^(é|\n){2,3}$/.test(v)],
  ['a date', { type: 'string', format: 'date-time' }, (v) => !Number.isNaN(Date.parse(v))],
  ['a constant', { const: { a: [true] } }, (v) => JSON.stringify(v) === '{"a":[true]}'],
  ['one of several', { anyOf: [{ type: ['boolean', 'null'] }, { type: 'array', items: { type: 'boolean' }, maxItems: 1 }] },
    (v) => v === null || typeof v === 'boolean' || (v.length < 2 && v.every((x: unknown) => typeof x === 'boolean'))],
  ['exactly one of several', { oneOf: [{ const: 1 }, { type: 'boolean' }] }, (v) => v === 1 || typeof v === 'boolean'],
  ['an integer within bounds', { type: 'integer', minimum: -12, maximum: 1205 }, (v) => Number.isInteger(v) && v >= -12 && v <= 1205],
  ['a number within bounds', { type: 'number', exclusiveMinimum: -2, maximum: 1 }, (v) => v > -2 && v <= 1],
  ['a safe integer, as zod writes it', { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }, Number.isSafeInteger],
  ['a map', { type: 'object', additionalProperties: { type: 'boolean' } }, (v) => Object.values(v).every((x) => typeof x === 'boolean')],
  ['an empty object', { type: 'object' }, (v) => Object.keys(v).length === 0],
  [
    'a tree',
    {
      $defs: {
        node: {
          type: 'object',
          properties: { value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
          required: ['value', 'next'],
        },
      },
      $ref: '#/$defs/node',
    },
    function isNode(v): boolean { return Number.isInteger(v.value) && (v.next === null || isNode(v.next)) },
  ],
] // biome-ignore format: a table

it('is not led into what the vocabulary cannot write', () => {
  const rule = matchRegex('(ZX|n{3}|[X-Z]n)', characters)
  expect(new Set(texts(rule, characters))).toEqual(new Set(['nnn', 'Zn']))
  expect(() => matchRegex('nX', characters)).toThrow(
    heedError('invalid-option', { mentions: 'got none' }),
  )
})

describe('a JSON schema', () => {
  it.each(schemas)('%s is what the text parses to', (_, schema, fits) => {
    const rule = matchJsonSchema(schema, bytes)
    for (const text of texts(rule)) {
      const value = JSON.parse(text)
      expect([text, fits(value)]).toEqual([text, true])
    }
  })

  it('is obeyed with a vocabulary of single characters too', () => {
    const rule = matchJsonSchema(
      { type: 'array', items: { type: 'number' }, minItems: 1 },
      characters,
    )
    for (const text of texts(rule, characters, 30))
      expect(JSON.parse(text).every(Number.isFinite)).toBe(true)
  })

  it.each([
    [{}, '#', "'type'"],
    [true, '#', 'true'],
    [{ type: 'strnig' }, '#/type', 'string'],
    [{ type: Object.create(null) }, '#/type', 'string'],
    [{ type: 'string', format: Object.create(null) }, '#/format', 'date, time'],
    [{ type: 'constructor' }, '#/type', 'string'],
    [{ type: 'integer', minimum: 2.5 }, '#/minimum', 'whole'],
    [{ type: 'integer', minimum: 3, exclusiveMaximum: 3 }, '#', 'bounds'],
    [{ type: 'number', multipleOf: 3 }, '#/multipleOf', 'keyword'],
    [{ type: 'object', properties: { a: { type: 'array' } } }, '#/properties/a/items', 'array'],
    [{ type: 'object', properties: {}, required: ['x'] }, '#/required', "'x'"],
    [{ type: 'object', patternProperties: {} }, '#/patternProperties', 'keyword'],
    [{ type: 'string', format: 'email' }, '#/format', 'date, time'],
    [{ type: 'string', minLength: 3, maxLength: 2 }, '#', ['minLength', 'maxLength']],
    [{ $ref: 'http://elsewhere/x' }, '#/$ref', '#/$defs/'],
    [{ $ref: '#/$defs/no' }, '#/$ref', '#/$defs/no'],
    [{ $ref: '#/__proto__' }, '#/$ref', '#/__proto__'],
    [{ enum: [] }, '#/enum', 'list'],
  ])('%j is refused, with the place', (schema, key, mentions) => {
    expect(() => matchJsonSchema(schema, bytes)).toThrow(heedError('unsupported', { key, mentions }))
  }) // biome-ignore format: a table

  it.each([
    [
      { type: 'string', pattern: '(a)\\1' },
      heedError('unsupported', { mentions: ['(a)\\1', '\\1'] }),
    ],
    [{ $ref: '#' }, heedError('invalid-option', { mentions: 'got none' })],
    [
      { type: 'array', items: { type: 'string', minLength: 100000 }, minItems: 1000 },
      heedError('unsupported', { mentions: ' 200000 ' }),
    ],
  ])('%j is refused', (schema, error) => {
    expect(() => matchJsonSchema(schema, bytes)).toThrow(error)
  })

  it('names the keywords that are supported in the place of an unsupported one', () => {
    expect(() => matchJsonSchema({ type: 'array', contains: {} }, bytes)).toThrow(
      heedError('unsupported', { key: '#/contains', remedy: 'type, items, minItems, maxItems' }),
    )
  })

  it('may have texts and lists that are longer than what a call takes as arguments', () => {
    matchJsonSchema({ const: 'a'.repeat(150_000) }, bytes)
    const many = Array.from({ length: 150_000 }, (_, i) => i)
    expect(() => matchJsonSchema({ enum: many }, bytes)).toThrow(
      heedError('unsupported', { mentions: ' 200000 ' }),
    )
  })

  it('holds in streams, batches, beams and with a drafter', async () => {
    manualSeed(2)
    const size = { n_positions: 128, n_embd: 16, n_layer: 1, n_head: 2, initializer_range: 0.6 }
    const model = new GPT2({ ...size, vocab_size: bytes.vocabSize })
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer' } },
      required: ['name', 'age'],
    }
    const processors = [matchJsonSchema(schema, bytes)]
    for (const drafter of [undefined, new PromptLookup()])
      for (const seed of [1, 2, 3]) {
        let text = ''
        const options = { processors, seed, maxTokens: 40, drafter }
        for await (const piece of generate(model, bytes, 'Zoë: ', options)) text += piece
        expect(Object.keys(JSON.parse(text))).toEqual(['name', 'age'])
      }
    const steps = new BatchDecoder(model, { maxTokens: 40 })
    const options = {
      beams: 3,
      best: 3,
      maxTokens: 40,
      processors,
      stopTokens: [bytes.eosTokenId ?? 0],
    }
    const [found] = await beamSearch(steps, [bytes.encode('Zoë: ')], options)
    expect(found).toHaveLength(3)
    for (const { tokens } of found) JSON.parse(bytes.decode(tokens, { skipSpecialTokens: true }))
  })
})
