// A stream gives what `decode` adds: for every kind of vocabulary, wherever a text is continued.
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Tokenizer } from '../../src/tokenizers/index.ts'

const folder = new URL('../fixtures/tokenizers/', import.meta.url)
const IMPORTED = ['sentencepiece.json', 'tiktoken.json']
const names = readdirSync(folder).filter((name) => !IMPORTED.includes(name))

/** The definition: the decoded text of all ids without that of the ids before. */
function continuation(tokenizer: Tokenizer, ids: number[], at: number, skip: boolean): string {
  const options = { skipSpecialTokens: skip }
  const [before, all] = [
    tokenizer.decode(ids.slice(0, at), options),
    tokenizer.decode(ids, options),
  ]
  let same = 0
  while (same < before.length && before[same] === all[same]) same++
  return all.slice(same)
}

function streamed(tokenizer: Tokenizer, ids: number[], at: number, skip: boolean): string {
  const stream = tokenizer.decodeStream({ skipSpecialTokens: skip, after: ids.slice(0, at) })
  return (
    ids
      .slice(at)
      .map((id) => stream.push(id))
      .join('') + stream.end()
  )
}

const texts = [
  'The quick brown fox',
  " leading, and  double   spaces ; 'quoted' . Don't ! ",
  'naïve café — “curly” … 10 € 20 °C',
  '日本語 and 한국어, ไทย, हिन्दी, עברית',
  '👩‍👩‍👧‍👦 🇩🇪 😀😀 a\u0301\u0300',
  'line\n\nbreak\ttab\r\nend ',
  '',
]

describe.each(names)('%s', (name) => {
  const file = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
  const tokenizer = Tokenizer.fromJSON(file.tokenizer, file.config)

  it.each(texts)('continues %j after every token', (text) => {
    const ids = tokenizer.encode(text)
    for (let at = 0; at <= ids.length; at++)
      for (const skip of [true, false])
        expect(streamed(tokenizer, ids, at, skip)).toBe(continuation(tokenizer, ids, at, skip))
  })

  it('continues any ids', () => {
    const size = tokenizer.vocabSize + 3
    const ids = fc.array(fc.nat({ max: size }), { maxLength: 12 })
    fc.assert(
      fc.property(ids, fc.nat({ max: 12 }), fc.boolean(), (ids, place, skip) => {
        const at = Math.min(place, ids.length)
        expect(streamed(tokenizer, ids, at, skip)).toBe(continuation(tokenizer, ids, at, skip))
      }),
    )
  })
})

describe('decoders one token at a time', () => {
  const vocab = [
    ...['a', 'b', '▁', '▁a', ' ', "'", '.', ',', "n't", 's', 'do', '##s', 'a</w>', '</w>b</w>'],
    ...[
      '<pad>',
      '|',
      '<0xE2>',
      '<0x82>',
      '<0xAC>',
      '<0xFF>',
      '<0x61>',
      'Ġ',
      'Ã',
      '©',
      'don',
      ' not',
    ],
  ]
  const replace = { type: 'Replace', pattern: { String: '▁' }, content: ' ' }
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 1 }
  const fallback = { type: 'ByteFallback' }
  const decoders = [
    null,
    { type: 'ByteLevel' },
    { type: 'WordPiece', prefix: '##', cleanup: true },
    { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always' },
    { type: 'BPEDecoder', suffix: '</w>' },
    { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true },
    strip,
    fallback,
    { type: 'Sequence', decoders: [replace, fallback, { type: 'Fuse' }, strip] },
    { type: 'Sequence', decoders: [fallback, { type: 'Fuse' }, replace, { ...strip, start: 2 }] },
    { type: 'Sequence', decoders: [{ type: 'ByteLevel' }, { type: 'BPEDecoder', suffix: 'a' }] },
    {
      type: 'Sequence',
      decoders: [{ type: 'Fuse' }, { type: 'WordPiece' }, { type: 'Metaspace' }],
    },
  ]
  const settings = [
    ['BPE', false],
    ['BPE', true],
    ['WordLevel', false],
    ['WordLevel', true],
  ] as const

  it.each(decoders)('%j', (decoder) => {
    for (const [type, cleans] of settings) {
      const tokenizer = Tokenizer.fromJSON(
        {
          decoder,
          model: {
            type,
            unk_token: 'a',
            merges: type === 'BPE' ? [] : undefined,
            vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
          },
        },
        { clean_up_tokenization_spaces: cleans },
      )
      const ids = fc.array(fc.nat({ max: vocab.length - 1 }), { maxLength: 10 })
      fc.assert(
        fc.property(ids, fc.nat({ max: 10 }), (ids, place) => {
          const at = Math.min(place, ids.length)
          expect(streamed(tokenizer, ids, at, true)).toBe(continuation(tokenizer, ids, at, true))
        }),
      )
    }
  })

  it('shows text as soon as nothing can change it', () => {
    const tokenizer = Tokenizer.fromJSON({
      decoder: {
        type: 'Sequence',
        decoders: [replace, fallback, { type: 'Fuse' }, { ...strip, stop: 0 }],
      },
      model: { type: 'BPE', merges: [], vocab: Object.fromEntries(vocab.map((t, id) => [t, id])) },
    })
    const stream = tokenizer.decodeStream()
    const shown = [
      '▁a',
      'b',
      '<0xE2>',
      '<0x82>',
      '<0xAC>',
      '▁',
      'b',
      '<0xE2>',
      '<0xFF>',
      '<0x61>',
    ].map((token) => stream.push(tokenizer.tokenToId(token) as number))
    expect(shown).toEqual(['a', 'b', '', '', '', '€ ', 'b', '', '\ufffd\ufffd', '\ufffd'])
    expect(stream.end()).toBe('')
  })
})

describe('clean_up_tokenization_spaces', () => {
  const words = ['print', '(', "'", 'a', ',', 'b', ')', '.', 'it', "'s"]
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]))
  const decoded = (model: object, config: object): string =>
    Tokenizer.fromJSON({ model: { vocab, ...model } }, config).decode(words.map((_, id) => id))
  const spaced = "print ( ' a , b ) . it 's"
  const clean = "print ('a, b ). it's"

  it('is for all models but BPE, as in transformers 5', () => {
    const cleans = { clean_up_tokenization_spaces: true }
    expect(decoded({ type: 'WordLevel', unk_token: 'a' }, cleans)).toBe(clean)
    expect(decoded({ type: 'WordLevel', unk_token: 'a' }, {})).toBe(spaced)
    expect(decoded({ type: 'BPE', merges: [] }, cleans)).toBe(spaced)
    const insists = {
      ...cleans,
      clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output: true,
    }
    expect(decoded({ type: 'BPE', merges: [] }, insists)).toBe(clean)
  })
})
