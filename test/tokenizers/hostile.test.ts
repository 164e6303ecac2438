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
    ['no object', null, /must be an object, got null/],
    ['a list', [], /must be an object, got \[\]/],
    ['no model', {}, /`model` .* must be an object, got undefined/],
    ['a model of words', { model: 'BPE' }, /`model` .* must be an object, got "BPE"/],
    [
      'an unknown model',
      withModel({ type: 'Magic' }),
      /`model.type` .* registered tokenizer model, got "Magic"/,
    ],
    ['no vocabulary', withModel({ vocab: undefined }), /`model.vocab` .* got undefined/],
    ['an id that is text', withVocab({ x1: '7' }), /`model.vocab.x1` .* got "7"/],
    ['a negative id', withVocab({ x1: -1 }), /`model.vocab.x1` .* got -1/],
    [
      'an id that would fill the memory',
      withVocab({ x1: 4e9 }),
      /`model.vocab.x1` .* got 4000000000/,
    ],
    ['one id for two tokens', withVocab({ x1: 300, x2: 300 }), /got 300 for "x1" and "x2"/],
    ['merges that are none', withModel({ merges: 'a b' }), /`model.merges` .* must be a list/],
    ['a merge of one', withModel({ merges: ['ab'] }), /`model.merges\[0\]` .* got "ab"/],
    ['a merge of tokens that are not there', withModel({ merges: ['qq zz'] }), /merges\[0\]/],
    ['a merge into nothing', withModel({ merges: ['x q'] }), /merges\[0\]/],
    ['a mixture of merges', withModel({ merges: [first.split(' '), first] }), /merges\[1\]/],
    ['merges of objects', withModel({ merges: [{}] }), /merges\[0\]/],
    [
      'added tokens that are none',
      { ...good, added_tokens: {} },
      /`added_tokens` .* must be a list/,
    ],
    [
      'an empty added token',
      { ...good, added_tokens: [{ id: 1, content: '' }] },
      /`added_tokens\[0\].content`/,
    ],
    [
      'a pre-tokenizer that is text',
      { ...good, pre_tokenizer: 'ByteLevel' },
      /`pre_tokenizer` .* must be an object/,
    ],
    [
      'an unknown pre-tokenizer',
      { ...good, pre_tokenizer: { type: 'X' } },
      /`pre_tokenizer.type` .* registered pre-tokenizer/,
    ],
    ['a broken pattern', withPattern('(['), /`pre_tokenizer.pattern` .* valid regular expression/],
    ['a pattern with a back-reference', withPattern('(a+)\\1'), /without back-references/],
    ['a pattern with a long repeat', withPattern('a{0,5000}b'), /without .* long repetitions/],
    [
      'a hidden pattern',
      {
        ...good,
        normalizer: {
          type: 'Sequence',
          normalizers: [null, { type: 'Replace', pattern: { Regex: '(\\s)\\1' }, content: '' }],
        },
      },
      /`normalizer.normalizers\[1\].pattern` .* without back-references/,
    ],
    ['a very long pattern', withPattern('a'.repeat(1e6)), /at most 20000 characters/],
    ['endless nesting', { ...good, pre_tokenizer: deep }, /at most 64 levels/],
    [
      'Unigram without scores',
      { model: { type: 'Unigram', vocab: [['a']] } },
      /`model.vocab\[0\]` .* a token and its score/,
    ],
    [
      'Unigram with an unknown of its own',
      { model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 7 } },
      /`model.unk_id` .* got 7/,
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
