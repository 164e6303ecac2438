import { describe, expect, it } from 'vitest'
import { Tokenizer, type TokenizerJson, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { heedError } from '../support/heed-error.ts'

const good = trainTokenizer(['one two three one two three'], {
  type: 'bpe',
  vocabSize: 262,
}).toJSON()
const [first] = good.model.merges as string[]

/** The good file with its model changed. */
function withModel(change: object): unknown {
  return { ...good, model: { ...good.model, ...change } }
}

function withVocab(change: Record<string, unknown>): unknown {
  return withModel({ vocab: { ...(good.model.vocab as object), ...change } })
}

function withPattern(pattern: string): unknown {
  return {
    ...good,
    pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' },
  }
}

const deep: { type: string; pretokenizers: unknown[] } = { type: 'Sequence', pretokenizers: [] }
let inner = deep
for (let i = 0; i < 50_000; i++) {
  const next = { type: 'Sequence', pretokenizers: [] }
  inner.pretokenizers.push(next)
  inner = next
}

describe('a tokenizer.json that lies', () => {
  const cases: [string, unknown, unknown][] = [
    ['no object', null, heedError('corrupt-file', { key: '', value: null })],
    ['a list', [], heedError('corrupt-file', { key: '', value: [] })],
    ['no model', {}, heedError('corrupt-file', { key: 'model', mentions: 'got undefined' })],
    [
      'a model of words',
      { model: 'BPE' },
      heedError('corrupt-file', { key: 'model', value: 'BPE' }),
    ],
    [
      'an unknown model',
      withModel({ type: 'Magic' }),
      heedError('unknown-name', { key: 'model.type', value: 'Magic' }),
    ],
    [
      'no vocabulary',
      withModel({ vocab: undefined }),
      heedError('corrupt-file', { key: 'model.vocab', mentions: 'got undefined' }),
    ],
    [
      'an id that is text',
      withVocab({ x1: '7' }),
      heedError('corrupt-file', { key: 'model.vocab.x1', value: '7' }),
    ],
    [
      'a negative id',
      withVocab({ x1: -1 }),
      heedError('corrupt-file', { key: 'model.vocab.x1', value: -1 }),
    ],
    [
      'an id that would fill the memory',
      withVocab({ x1: 4e9 }),
      heedError('corrupt-file', { key: 'model.vocab.x1', value: 4000000000 }),
    ],
    [
      'one id for two tokens',
      withVocab({ x1: 300, x2: 300 }),
      heedError('corrupt-file', { key: 'x2', value: 300, mentions: '"x1"' }),
    ],
    [
      'merges that are none',
      withModel({ merges: 'a b' }),
      heedError('corrupt-file', { key: 'model.merges', value: 'a b' }),
    ],
    [
      'a merge of one',
      withModel({ merges: ['ab'] }),
      heedError('corrupt-file', { key: 'model.merges[0]', value: 'ab' }),
    ],
    [
      'a merge of tokens that are not there',
      withModel({ merges: ['qq zz'] }),
      heedError('corrupt-file', { key: 'model.merges[0]', value: 'qq zz' }),
    ],
    [
      'a merge into nothing',
      withModel({ merges: ['x q'] }),
      heedError('corrupt-file', { key: 'model.merges[0]', value: 'x q' }),
    ],
    [
      'a mixture of merges',
      withModel({ merges: [first.split(' '), first] }),
      heedError('corrupt-file', { key: 'model.merges[1]', value: 'Ġ t' }),
    ],
    [
      'merges of objects',
      withModel({ merges: [{}] }),
      heedError('corrupt-file', { key: 'model.merges[0]' }),
    ],
    [
      'added tokens that are none',
      { ...good, added_tokens: {} },
      heedError('corrupt-file', { key: 'added_tokens' }),
    ],
    [
      'an empty added token',
      { ...good, added_tokens: [{ id: 1, content: '' }] },
      heedError('corrupt-file', { key: 'added_tokens[0].content', value: '' }),
    ],
    [
      'a pre-tokenizer that is text',
      { ...good, pre_tokenizer: 'ByteLevel' },
      heedError('corrupt-file', { key: 'pre_tokenizer', value: 'ByteLevel' }),
    ],
    [
      'an unknown pre-tokenizer',
      { ...good, pre_tokenizer: { type: 'X' } },
      heedError('unknown-name', { key: 'pre_tokenizer.type', value: 'X' }),
    ],
    [
      'a broken pattern',
      withPattern('(['),
      heedError('corrupt-file', { key: 'pre_tokenizer.pattern', value: '([' }),
    ],
    [
      'a pattern with a back-reference',
      withPattern('(a+)\\1'),
      heedError('corrupt-file', { key: 'pre_tokenizer.pattern', value: '(a+)\\1' }),
    ],
    [
      'a pattern with a long repeat',
      withPattern('a{0,5000}b'),
      heedError('corrupt-file', { key: 'pre_tokenizer.pattern', value: 'a{0,5000}b' }),
    ],
    [
      'a hidden pattern',
      {
        ...good,
        normalizer: {
          type: 'Sequence',
          normalizers: [null, { type: 'Replace', pattern: { Regex: '(\\s)\\1' }, content: '' }],
        },
      },
      heedError('corrupt-file', { key: 'normalizer.normalizers[1].pattern', value: '(\\s)\\1' }),
    ],
    [
      'a very long pattern',
      withPattern('a'.repeat(1e6)),
      heedError('corrupt-file', { key: 'pre_tokenizer.pattern', mentions: '20000 characters' }),
    ],
    [
      'endless nesting',
      { ...good, pre_tokenizer: deep },
      heedError('corrupt-file', { key: 'pre_tokenizer', mentions: '64 levels' }),
    ],
    [
      'Unigram without scores',
      { model: { type: 'Unigram', vocab: [['a']] } },
      heedError('corrupt-file', { key: 'model.vocab[0]', value: ['a'] }),
    ],
    [
      'Unigram with an unknown of its own',
      { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 7 } },
      heedError('corrupt-file', { key: 'model.unk_id', value: 7 }),
    ],
  ]
  it.each(cases)('%s is refused by name', (_, json, error) => {
    const load = () => Tokenizer.fromJSON(json, {}, 'model/tokenizer.json')
    expect(load).toThrow(error)
    expect(load).toThrow('model/tokenizer.json')
  })

  it('does not reach the prototype of anything', () => {
    const json = JSON.parse(
      '{"model": {"type": "BPE", "unk_token": "constructor", "merges": [],' +
        '"vocab": {"__proto__": 0, "constructor": 1, "toString": 2, "a": 3}},' +
        '"decoder": {"type": "Fuse"}, "__proto__": {"polluted": true}}',
    ) as TokenizerJson
    const tokenizer = Tokenizer.fromJSON(json)
    expect(tokenizer.encode('ab')).toEqual([3, 1])
    expect(tokenizer.idToToken(0)).toBe('__proto__')
    expect(tokenizer.tokenToId('hasOwnProperty')).toBeUndefined()
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it.each([null, 'x', []])('a config that is %j is refused', (config) => {
    expect(() => Tokenizer.fromJSON(good, config)).toThrow(HeedError)
  })

  it('looks past settings that make no sense', () => {
    const config = { eos_token: 7, bos_token: { content: ['x'] }, pad_token: '<|endoftext|>' }
    const tokenizer = Tokenizer.fromJSON(good, config)
    expect(tokenizer.eosTokenId).toBe(0)
    expect(tokenizer.bosTokenId).toBeUndefined()
    expect(tokenizer.padTokenId).toBe(0)
  })

  it('accepts the patterns of published tokenizers', () => {
    const patterns = [
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
      ' ?[^(\\s|[.,!?…。，、।۔،])]+',
      '(?=(\\d{3})+(?!\\d))',
    ]
    for (const pattern of patterns)
      expect(() => Tokenizer.fromJSON(withPattern(pattern))).not.toThrow()
  })
})
