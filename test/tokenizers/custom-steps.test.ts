import { expect, it } from 'vitest'
import { z } from 'zod'
import {
  registerTokenizerStep,
  TextRewriter,
  Tokenizer,
  tokenizerPattern,
  tokenizerStep,
} from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'

// ':)' becomes ☺; words end after each match of a pattern; '<s>' goes in front; tokens are letters whose ids
// count from `first`; ☺ is decoded as ':)'.
registerTokenizerStep('normalizer', 'Smileys', {
  schema: z.object({ smiley: z.string().default('☺') }),
  make:
    ({ smiley }) =>
    (source) => {
      const rewriter = new TextRewriter(source)
      let at = 0
      for (const { index } of source.text.matchAll(/:\)/g)) {
        rewriter.keep(at, index)
        rewriter.replace(index, index + 2, smiley)
        at = index + 2
      }
      rewriter.keep(at, source.text.length)
      return rewriter.finish()
    },
})

registerTokenizerStep('pre_tokenizer', 'EndAfter', {
  schema: z.object({ pattern: tokenizerPattern }),
  make:
    ({ pattern }) =>
    (source) => {
      const ends = [...source.text.matchAll(pattern)].map(
        ({ 0: match, index }) => index + match.length,
      )
      return [...ends, source.text.length].map((end, i) => source.slice(ends[i - 1] ?? 0, end))
    },
})

registerTokenizerStep('pre_tokenizer', 'Twice', {
  schema: z.object({ step: tokenizerStep('pre_tokenizer') }),
  make:
    ({ step }) =>
    (source) =>
      step(source).flatMap((word) => step(word)),
})

registerTokenizerStep('model', 'Letters', {
  schema: z.object({ letters: z.string(), first: z.int().min(0) }),
  make: ({ letters, first }) => {
    const vocab = new Map(Array.from(letters, (letter, i) => [letter, first + i]))
    return {
      vocab,
      unknownToken: '?',
      encode(word) {
        const known = Array.from(word, (letter) => vocab.get(letter) ?? vocab.get('?') ?? first)
        return { ids: known, starts: known.map((_, i) => i), ends: known.map((_, i) => i + 1) }
      },
    }
  },
})

registerTokenizerStep('post_processor', 'InFront', {
  schema: z.object({ id: z.int() }),
  make: ({ id }) => ({
    template: {
      single: [
        { special: [id], typeId: 0 },
        { sequence: 'A', typeId: 0 },
      ],
      pair: [
        { special: [id], typeId: 0 },
        { sequence: 'A', typeId: 0 },
        { sequence: 'B', typeId: 1 },
      ],
    },
  }),
})

registerTokenizerStep('decoder', 'Smileys', {
  schema: z.object({}),
  make: () => (tokens) => tokens.map((token) => (token === '☺' ? ':)' : token)),
})

const json = {
  added_tokens: [{ id: 5, content: '<s>', special: true }],
  normalizer: { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, { type: 'Smileys' }] },
  pre_tokenizer: { type: 'Twice', step: { type: 'EndAfter', pattern: { Regex: 'b|☺' } } },
  post_processor: { type: 'InFront', id: 5 },
  decoder: { type: 'Smileys' },
  model: { type: 'Letters', letters: '?abc☺', first: 0 },
}

it('encodes with offsets and decodes by registered steps', () => {
  const tokenizer = Tokenizer.fromJSON(json)
  const encoding = tokenizer.encodeWithOffsets('AB:)c!')
  expect(encoding.ids).toEqual([5, 1, 2, 4, 3, 0])
  expect(tokenizer.encode('AB:)c!')).toEqual(encoding.ids)
  expect(encoding.tokens).toEqual(['<s>', 'a', 'b', '☺', 'c', '?'])
  expect(encoding.offsets).toEqual([
    [0, 0],
    [0, 1],
    [1, 2],
    [2, 4],
    [4, 5],
    [5, 6],
  ])
  expect(encoding.wordIds).toEqual([null, 0, 0, 1, 2, 2])
  expect(tokenizer.decode(encoding.ids, { skipSpecialTokens: true })).toBe('ab:)c?')
  expect(tokenizer.unkTokenId).toBe(0)
  const stream = tokenizer.decodeStream({ skipSpecialTokens: true })
  expect(encoding.ids.map((id) => stream.push(id)).join('') + stream.end()).toBe('ab:)c?')
})

it('saves registered steps and opens them again', async () => {
  const folder = await temporaryFolder()
  await Tokenizer.fromJSON(json).save(folder)
  const opened = await Tokenizer.fromFile(folder)
  expect(opened.encode('c:)a')).toEqual([5, 3, 4, 1])
  expect(opened.toJSON()).toMatchObject(json)
})

it('names a step that is not registered, and how to register it', () => {
  const unknown = { ...json, normalizer: { type: 'Sequence', normalizers: [{ type: 'Smiley' }] } }
  const error = refusal(() => Tokenizer.fromJSON(unknown, {}, 'model/tokenizer.json'))
  expect(error).toEqual(
    heedError('unknown-name', {
      key: 'normalizer.normalizers[0].type',
      value: 'Smiley',
      mentions: 'model/tokenizer.json',
      remedy: `registerTokenizerStep('normalizer', "Smiley"`,
    }),
  )
  for (const type of error.details.try?.type.slice(0, 1) ?? [])
    expect(() => Tokenizer.fromJSON({ ...json, normalizer: { type } })).not.toThrow()
})

it('checks the settings of registered steps', () => {
  const error = refusal(() =>
    Tokenizer.fromJSON({ ...json, model: { ...json.model, first: 'one' } }),
  )
  expect(error).toEqual(
    heedError('corrupt-file', { key: 'model.first', value: 'one', mentions: 'tokenizer.json' }),
  )
  expect(error.details).toMatchObject({ key: 'model.first', value: 'one' })
  const slow = { type: 'EndAfter', pattern: { Regex: '(b)\\1' } }
  expect(() => Tokenizer.fromJSON({ ...json, pre_tokenizer: slow })).toThrow(
    heedError('corrupt-file', { key: 'pre_tokenizer.pattern', value: '(b)\\1' }),
  )
})

it('reports what a step throws', () => {
  registerTokenizerStep('normalizer', 'Unmade', {
    schema: z.object({}),
    make: () => {
      throw new Error('no table')
    },
  })
  registerTokenizerStep('decoder', 'Failing', {
    schema: z.object({}),
    make: () => () => {
      throw new TypeError('not today')
    },
  })
  expect(() => Tokenizer.fromJSON({ ...json, normalizer: { type: 'Unmade' } })).toThrow(
    heedError('corrupt-file', { key: 'normalizer.type', value: 'Unmade', mentions: '(no table)' }),
  )
  const error = refusal(() =>
    Tokenizer.fromJSON({ ...json, decoder: { type: 'Failing' } }).decode([2]),
  )
  expect(error.message).toContain('not today')
})

it.each(['Lowercase', '__proto__', 'constructor', '../x', '', 'a b'])(
  'refuses %j as the name of a step',
  (name) => {
    const register = () =>
      registerTokenizerStep('normalizer', name, {
        schema: z.object({}),
        make: () => (text) => text,
      })
    expect(register).toThrow(HeedError)
  },
)

it('refuses a kind of step that does not exist', () => {
  const register = () =>
    registerTokenizerStep('normaliser' as 'normalizer', 'Mine', {
      schema: z.object({}),
      make: () => (text) => text,
    })
  expect(refusal(register).details.try).toMatchObject({
    'kind of tokenizer step': ['normalizer', expect.any(String), expect.any(String)],
  })
})

it('checks the ids of a registered model', () => {
  registerTokenizerStep('model', 'OneId', {
    schema: z.object({}),
    make: () => ({
      vocab: new Map([
        ['a', 7],
        ['b', 7],
      ]),
      encode: () => ({ ids: [], starts: [], ends: [] }),
    }),
  })
  expect(() => Tokenizer.fromJSON({ model: { type: 'OneId' } })).toThrow(
    heedError('corrupt-file', { key: 'b', value: 7, mentions: '"a"' }),
  )
})

function refusal(work: () => unknown): HeedError {
  try {
    work()
  } catch (error) {
    if (error instanceof HeedError) return error
    throw error
  }
  throw new Error('Nothing was thrown.')
}
