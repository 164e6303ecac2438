import { describe, expect, it } from 'vitest'
import { Tokenizer, type TokenizerJson, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'

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
  const cases: [string, unknown, RegExp][] = [
    ['no object', null, /is not an object/],
    ['a list', [], /is not an object/],
    ['no model', {}, /has no model/],
    ['a model of words', { model: 'BPE' }, /has no model/],
    ['an unknown model', withModel({ type: 'Magic' }), /its model is "Magic"/],
    ['no vocabulary', withModel({ vocab: undefined }), /no vocab/],
    ['an id that is text', withVocab({ x1: '7' }), /"x1" has id "7"/],
    ['a negative id', withVocab({ x1: -1 }), /"x1" has id -1/],
    ['an id that would fill the memory', withVocab({ x1: 4e9 }), /"x1" has id 4000000000/],
    ['one id for two tokens', withVocab({ x1: 300, x2: 300 }), /both have id 300/],
    ['merges that are none', withModel({ merges: 'a b' }), /no merges/],
    ['a merge of one', withModel({ merges: ['ab'] }), /merge 0 \("ab"\)/],
    ['a merge of tokens that are not there', withModel({ merges: ['qq zz'] }), /merge 0/],
    ['a merge into nothing', withModel({ merges: ['x q'] }), /makes no token/],
    ['a mixture of merges', withModel({ merges: [first.split(' '), first] }), /merge 1/],
    ['merges of objects', withModel({ merges: [{}] }), /merge 0/],
    ['added tokens that are none', { ...good, added_tokens: {} }, /added_tokens is not a list/],
    ['an empty added token', { ...good, added_tokens: [{ id: 1, content: '' }] }, /no content/],
    [
      'an added token in the place of another',
      { ...good, added_tokens: [{ id: 5, content: 'new' }] },
      /both have id 5/,
    ],
    [
      'an added token with two ids',
      { ...good, added_tokens: [{ id: 900, content: 'a' }] },
      /in added_tokens/,
    ],
    [
      'a pre-tokenizer that is text',
      { ...good, pre_tokenizer: 'ByteLevel' },
      /pre_tokenizer is not/,
    ],
    ['an unknown pre-tokenizer', { ...good, pre_tokenizer: { type: 'X' } }, /Unknown PreTokenizer/],
    ['a broken pattern', withPattern('(['), /not a usable tokenizer/],
    ['a pattern that takes for ever', withPattern('(a+)+$'), /can take for ever/],
    ['a choice that takes for ever', withPattern('x(?:a|aa)*$'), /can take for ever/],
    [
      'a hidden pattern',
      {
        ...good,
        normalizer: {
          type: 'Sequence',
          normalizers: [null, { type: 'Replace', pattern: { Regex: '(\\s*)*x' }, content: '' }],
        },
      },
      /for ever/,
    ],
    ['a very long pattern', withPattern('a'.repeat(1e6)), /characters long/],
    ['endless nesting', { ...good, pre_tokenizer: deep }, /not a usable tokenizer/],
    [
      'Unigram without scores',
      { model: { type: 'Unigram', vocab: [['a']] } },
      /is not \[token, score\]/,
    ],
    [
      'Unigram with an unknown of its own',
      { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 7 } },
      /unk_id/,
    ],
  ]
  it.each(cases)('%s is refused by name', (_, json, message) => {
    const load = () => Tokenizer.fromJSON(json, {}, 'model/tokenizer.json')
    expect(load).toThrow(HeedError)
    expect(load).toThrow(message)
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
