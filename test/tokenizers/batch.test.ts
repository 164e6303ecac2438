import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { heedError } from '../support/heed-error.ts'

const file = new URL('../fixtures/tokenizers/bert.json', import.meta.url)
const { tokenizer: json } = JSON.parse(readFileSync(file, 'utf8'))
const names = { pad_token: '[PAD]', cls_token: '[CLS]', sep_token: '[SEP]', mask_token: '[MASK]' }
const bert = Tokenizer.fromJSON(json, names)
const [PAD, , CLS, SEP, MASK] = [0, 1, 2, 3, 4]

describe('a batch', () => {
  const texts = ['the whale', 'the old man saw it', 'sea']
  const lengths = texts.map((text) => bert.encode(text).length)
  const longest = Math.max(...lengths)

  it.each(['left', 'right'] as const)('is filled up on the %s', (padding) => {
    const batch = bert.batch(texts, { padding })
    expect(batch.shape).toEqual([3, longest])
    texts.forEach((text, row) => {
      const ids = [...batch.inputIds.slice(row * longest, (row + 1) * longest)]
      const mask = [...batch.attentionMask.slice(row * longest, (row + 1) * longest)]
      const filled = Array(longest - lengths[row]).fill(PAD)
      const ones = Array(lengths[row]).fill(1)
      const join = (a: number[], b: number[]) => (padding === 'left' ? [...b, ...a] : [...a, ...b])
      expect(ids).toEqual(join(bert.encode(text), filled))
      expect(mask).toEqual(join(ones, filled))
    })
  })

  it('takes the side that the tokenizer declares', () => {
    const left = Tokenizer.fromJSON(json, { ...names, padding_side: 'left' })
    expect(left.batch(texts).inputIds).toEqual(bert.batch(texts, { padding: 'left' }).inputIds)
  })

  it('holds pairs, with their types', () => {
    const { inputIds, tokenTypeIds, shape } = bert.batch([['sea', 'man'], 'sea'])
    const [one, two] = [bert.encode('sea'), bert.encode('man')]
    expect(shape).toEqual([2, one.length + two.length - 1])
    expect([...inputIds.slice(0, shape[1])]).toEqual([...one, ...two.slice(1)])
    const types = [...one.map(() => 0), ...two.slice(1).map(() => 1)]
    expect([...tokenTypeIds]).toEqual([...types, ...types.map(() => 0)])
  })

  it('is cut to a length, filled to a length or a multiple', () => {
    expect(bert.batch(texts, { maxLength: 4 }).shape).toEqual([3, 4])
    expect(bert.batch(texts, { maxLength: 4, padToLength: 9 }).shape).toEqual([3, 9])
    expect(bert.batch(texts, { padToMultipleOf: 16 }).shape).toEqual([3, 16])
    const { inputIds } = bert.batch(['the old man saw'], { maxLength: 4, truncationSide: 'left' })
    expect([...inputIds]).toEqual([CLS, ...bert.encode('the old man saw').slice(-3, -1), SEP])
  })

  it('says what it cannot do', () => {
    expect(() => bert.batch([])).toThrow(heedError('invalid-option', { key: 'texts', value: [] }))
    expect(() => bert.batch(['x'], { maxLength: 1 })).toThrow(
      heedError('invalid-option', { key: 'maxLength', value: 1, mentions: 'from 2' }),
    )
    expect(() => bert.batch(['x'], { padToMultipleOf: 0 })).toThrow(
      heedError('invalid-option', { key: 'padToMultipleOf', value: 0 }),
    )
    const nameless = Tokenizer.fromJSON(json)
    expect(() => nameless.batch(texts)).toThrow(heedError('invalid-option', { key: 'padTokenId' }))
    expect(nameless.batch(texts, { padTokenId: 7 }).inputIds).toContain(7)
    expect(nameless.batch(['sea', 'sea']).shape[0]).toBe(2)
  })
})

describe('truncation of pairs', () => {
  const long = 'the old man saw the sea and the whale'
  const sizes = (options: object) => {
    const { sequenceIds } = bert.encodeWithOffsets(long, { pair: 'the old sea', ...options })
    return [0, 1].map((part) => sequenceIds.filter((id) => id === part).length)
  }
  const [first, second] = sizes({})

  it('cuts the longest first, or the one that is named', () => {
    expect(sizes({ maxLength: first + second })).toEqual([first - 3, second])
    expect(sizes({ maxLength: 3 + 2 })).toEqual([1, 1])
    expect(sizes({ maxLength: 12, truncation: 'only_first' })).toEqual([9 - second, second])
    expect(() => sizes({ maxLength: 12, truncation: 'only_second' })).toThrow(
      heedError('invalid-data', { key: 'truncation' }),
    )
  })
})

describe('special tokens', () => {
  it('have the ids that the config names', () => {
    expect(bert.clsTokenId).toBe(CLS)
    expect(bert.sepTokenId).toBe(SEP)
    expect(bert.maskTokenId).toBe(MASK)
    expect(bert.padTokenId).toBe(PAD)
    expect(bert.unkTokenId).toBe(1)
    expect(bert.bosTokenId).toBeUndefined()
  })

  it('are added where only the config declares them', () => {
    const config = {
      additional_special_tokens: ['<extra_id_0>', { content: '<extra_id_1>' }],
      added_tokens_decoder: {
        900: { content: '<extra_id_0>', special: true },
        901: { content: '<extra_id_1>', special: true },
        3: { content: '<first>', special: true },
        x: { content: '<nor this>' },
      },
    }
    const tokenizer = Tokenizer.fromJSON(json, config)
    // The next ids in the order of the declared ones, as in Python.
    const first = bert.vocabSize
    expect(tokenizer.tokenToId('<first>')).toBe(first)
    expect(tokenizer.additionalSpecialTokenIds).toEqual([first + 1, first + 2])
    expect(tokenizer.encode('a<extra_id_1>')).toContain(first + 2)
    expect(tokenizer.isSpecial(first + 2)).toBe(true)
    expect(tokenizer.vocabSize).toBe(first + 3)
    expect(tokenizer.tokenToId('<nor this>')).toBeUndefined()
  })
})

it('parts of a character stand for all of it', () => {
  const bytes = trainTokenizer(['a'], { type: 'bpe', vocabSize: 257 })
  const { offsets, tokens } = bytes.encodeWithOffsets('é😀x')
  expect(tokens.length).toBe(7)
  expect(offsets).toEqual([
    [0, 1],
    [0, 1],
    [1, 3],
    [1, 3],
    [1, 3],
    [1, 3],
    [3, 4],
  ])
})
