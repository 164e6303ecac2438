import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTokenizerSpec, Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { chapters, MIXED } from './samples.ts'

const bpe = trainTokenizer(chapters(6), { type: 'bpe', vocabSize: 700 })
const chars = trainTokenizer([MIXED], { type: 'char' })
const fallback = byteFallbackTokenizer()

describe('streaming', () => {
  const kinds: [string, Tokenizer][] = [
    ['byte-level', bpe],
    ['character', chars],
    ['byte fallback', fallback],
  ]
  it.each(kinds)('%s: shows the same text and no half characters', (_, tokenizer) => {
    const text = `${MIXED.replaceAll('\ufffd', '')} ab<unk>`
    const stream = tokenizer.decodeStream()
    let shown = ''
    for (const id of tokenizer.encode(text)) {
      const fresh = stream.push(id)
      expect(fresh).not.toMatch(/\ufffd|\p{Surrogate}/u)
      shown += fresh
    }
    expect(shown + stream.end()).toBe(tokenizer.decode(tokenizer.encode(text)))
  })

  it('holds a character back until its last byte', () => {
    const stream = bpe.decodeStream()
    expect(bpe.encode('😀').map((id) => stream.push(id))).toEqual(['', '', '', '😀'])
  })

  it('shows what is left of a broken character', () => {
    const stream = bpe.decodeStream()
    const [first] = bpe.encode('😀')
    expect(stream.push(first) + stream.push(0) + stream.push(first)).toBe('\ufffd<|endoftext|>')
    expect(stream.end()).toBe('\ufffd')
  })

  it('agrees with decode on any ids', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 710 }))
    fc.assert(
      fc.property(ids, fc.boolean(), (some, skipSpecialTokens) => {
        const stream = bpe.decodeStream({ skipSpecialTokens })
        const text = some.map((id) => stream.push(id)).join('') + stream.end()
        expect(text).toBe(bpe.decode(some, { skipSpecialTokens }))
      }),
    )
  })

  it('does not wait for ever for noise', () => {
    const stream = fallback.decodeStream()
    const byte = fallback.tokenToId('<0xFF>') as number
    const text = Array.from({ length: 40 }, () => stream.push(byte)).join('')
    expect(text.length).toBeGreaterThan(10)
  })
})

describe('encoding in pieces', () => {
  it('gives the ids of the whole, wherever it is cut', () => {
    const cuts = fc.array(fc.nat({ max: MIXED.length }), { maxLength: 20 })
    fc.assert(
      fc.property(cuts, (places) => {
        const ends = [...places, MIXED.length].sort((a, b) => a - b)
        const pieces = ends.map((end, i) => MIXED.slice(ends[i - 1] ?? 0, end))
        expect([...bpe.encodePieces(pieces)].flat()).toEqual(bpe.encode(MIXED))
      }),
    )
  })

  it('cuts a long text where no token can cross', () => {
    const text = `${MIXED} `.repeat(700)
    const whole = Tokenizer.fromJSON({ ...bpe.toJSON(), normalizer: NO_CHANGE }, bpe.config)
    expect(bpe.encode(text)).toEqual(whole.encode(text)) // a normaliser forbids cuts
    expect([...bpe.encodePieces([text])].length).toBeGreaterThan(1)
    expect([...whole.encodePieces([text])].length).toBe(1)
  })
})

describe('what is asked of it', () => {
  it('takes no ids that are none, and leaves out those without a token', () => {
    expect(bpe.decode([])).toBe('')
    expect(bpe.decode([...bpe.encode('ok'), 999_999])).toBe('ok')
    for (const id of [-1, 1.5, Number.NaN])
      expect(() => bpe.decode([id])).toThrow(heedError('invalid-option', { key: 'ids' }))
    expect(() => bpe.encode(42 as unknown as string)).toThrow(
      heedError('invalid-option', { key: 'text', value: 42 }),
    )
  })

  it('takes typed arrays', () => {
    expect(bpe.decode(Int32Array.from(bpe.encode('typed')))).toBe('typed')
  })
})

describe('saving', () => {
  it('comes back the same', async () => {
    const folder = await temporaryFolder()
    for (const tokenizer of [bpe, chars]) {
      await tokenizer.save(folder, { modelMaxLength: 256 })
      const loaded = await Tokenizer.fromFile(folder)
      expect(loaded.toJSON()).toEqual(tokenizer.toJSON())
      expect(loaded.config).toEqual({ ...tokenizer.config, model_max_length: 256 })
      expect(loaded.eosTokenId).toBe(tokenizer.eosTokenId)
      expect(loaded.encode(MIXED)).toEqual(tokenizer.encode(MIXED))
      const alone = await Tokenizer.fromFile(join(folder, 'tokenizer.json'))
      expect(alone.config).toEqual(loaded.config)
    }
  })

  it('keeps a token that is named as a prototype', async () => {
    const folder = await temporaryFolder()
    const word = '__proto__' // GPT-2 splits it in three, so the vocabulary is written by hand
    const json = bpe.toJSON()
    const vocab = Object.fromEntries([...Object.entries(json.model.vocab as object), [word, 700]])
    const added = [{ id: 700, content: word }]
    const tokenizer = Tokenizer.fromJSON({
      ...json,
      added_tokens: added,
      model: { ...json.model, vocab },
    })
    const text = `a ${word} b`
    expect(tokenizer.encode(text)).toContain(700)
    await tokenizer.save(folder)
    const loaded = await Tokenizer.fromFile(folder)
    expect(loaded.encode(text)).toEqual(tokenizer.encode(text))
  })

  it('says what is missing', async () => {
    const folder = await temporaryFolder()
    await expect(Tokenizer.fromFile(folder)).rejects.toThrow(
      heedError('missing-file', { mentions: [folder, 'tokenizer.json'] }),
    )
    await expect(Tokenizer.fromFile(join(folder, 'no'))).rejects.toThrow(
      heedError('missing-file', { value: join(folder, 'no') }),
    )
    await writeFile(join(folder, 'tokenizer.json'), '{"model": ')
    await expect(Tokenizer.fromFile(folder)).rejects.toThrow(HeedError)
  })
})

describe('specs', () => {
  it('are read', () => {
    expect(parseTokenizerSpec('char')).toEqual({ type: 'char' })
    expect(parseTokenizerSpec('bpe')).toEqual({ type: 'bpe', vocabSize: 4096 })
    expect(parseTokenizerSpec('bpe:8192')).toEqual({ type: 'bpe', vocabSize: 8192 })
    expect(parseTokenizerSpec('./bpe')).toEqual({ type: 'file', path: './bpe' })
  })

  it.each(['', ' ', 'bpe:', 'bpe:12', 'bpe:4k', 'bpe:1e9', 'bpe:99999999999', 'char:100'])(
    '%j is refused with what to write',
    (spec) =>
      expect(() => parseTokenizerSpec(spec)).toThrow(
        heedError('invalid-option', { remedy: /char|bpe/ }),
      ),
  )
})

const NO_CHANGE = { type: 'Replace', pattern: { String: '\u0001' }, content: '\u0001' }

/** As Llama 2 has it: characters, and the bytes of those that are not known. */
function byteFallbackTokenizer(): Tokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`
  })
  const tokens = ['<unk>', ...bytes, '▁', ...'abcdefghijklmnopqrstuvwxyz']
  const replace = (from: string, to: string) => {
    return { type: 'Replace', pattern: { String: from }, content: to }
  }
  return Tokenizer.fromJSON({
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'Prepend', prepend: '▁' }, replace(' ', '▁')],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        replace('▁', ' '),
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: [],
    },
  })
}

describe('offsets of an added token', () => {
  const upper = { type: 'Replace', pattern: { String: 'b' }, content: 'bb' }

  it.each([
    ['no normalizer', null],
    ['a normalizer', upper],
  ])('are those of its match, wherever it stands, with %s', (_, normalizer) => {
    const added = ['<a>', '<ab>', 'long token'].map((content, i) => ({
      id: 3 + i,
      content,
      single_word: false,
      lstrip: i === 2,
      rstrip: false,
      normalized: false,
      special: i === 0,
    }))
    const model = { type: 'BPE', vocab: { x: 0, y: 1, ' ': 2 }, merges: [] }
    const tokenizer = Tokenizer.fromJSON({ model, added_tokens: added, normalizer })
    const offsetsOf = (text: string) => tokenizer.encodeWithOffsets(text).offsets
    expect(offsetsOf('x<a>')).toEqual([[0, 1], [1, 4]]) // biome-ignore format: one line
    expect(offsetsOf('<a>')).toEqual([[0, 3]])
    expect(offsetsOf('x<ab>y')).toEqual([[0, 1], [1, 5], [5, 6]]) // biome-ignore format: one line
    expect(offsetsOf('x  long token')).toEqual([[0, 1], [1, 13]]) // biome-ignore format: one line
  })
})
