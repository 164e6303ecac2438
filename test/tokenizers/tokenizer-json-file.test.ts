import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readJson } from '../../src/io/files/json.ts'
import { readTokenizerJsonFile } from '../../src/tokenizers/formats/tokenizer-json-file.ts'
import { registerTokenizerStep, Tokenizer, trainTokenizer } from '../../src/tokenizers/index.ts'
import { randomBelow } from '../../src/util/random.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

// Files are read into tables from their bytes where possible. Whatever is in a file, the result and the errors are
// those of JSON.
const PAIRS = [
  ['a', 'b'],
  ['ab', 'c'],
]
const VOCAB = '{"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4, "é": 5, "😀": 6}'
const model = (vocab: string, merges = JSON.stringify(PAIRS), rest = ''): string =>
  `{"model": {"type": "BPE", ${rest} "vocab": ${vocab}, "merges": ${merges}}}`

const READ_AS_TABLES: Record<string, string> = {
  'pairs of merges': model(VOCAB),
  'lines of merges': model(VOCAB, '["a b", "ab c"]'),
  'no merges': model(VOCAB, '[]'),
  'white space': model(' {\n\t"a" :\r 0 , "b":1 , "ab":2 } ', '[ [ "a" ,\n"b" ] ]'),
  'an empty vocabulary': model('{}', '[]'),
  'a token twice: the last id counts': model('{"a": 0, "b": 1, "a": 2}', '[]'),
  'names of prototypes': model('{"__proto__": 0, "constructor": 1, "toString": 2}', '[]'),
  'tokens that are numbers': model('{"b": 3, "10": 0, "9": 1, "": 2}', '[]'),
  'every escape': model('{"\\"\\\\\\/\\b\\f\\n\\r\\t": 0, "\\u00e9\\u0000": 1}', '[]'),
  'half of a pair of surrogates': model('{"\\ud83d\\ude00": 0, "\\ud83d": 1, "\\ude00": 2}', '[]'),
  'keys with escapes': `{"mod\\u0065l": {"voc\\u0061b": ${VOCAB}, "merges": []}}`,
  'a long token': model(`{"${'é'.repeat(5000)}": 0}`, '[]'),
  'other keys': `{"version": "]}\\"", "x": [1e3, -0.5, {"a": [true, null]}], ${model(VOCAB).slice(1)}`,
  'an older file without a type': `{"model": {"vocab": ${VOCAB}, "merges": ["a b"]}}`,
  words: '{"model": {"type": "WordLevel", "vocab": {"a": 0, "b c": 1}, "unk_token": "a"}}',
}

const READ_AS_JSON: Record<string, string> = {
  'a negative id': model('{"a": -1}'),
  'half an id': model('{"a": 0.5}'),
  'an id with an exponent': model('{"a": 0, "b": 1e0}', '[]'),
  'an id with a zero in front': model('{"a": 01}'),
  'an id that is too large': model('{"a": 16777216}'),
  'an id that is text': model('{"a": "0"}'),
  'an id that is an object': model('{"__proto__": {"x": 1}}'),
  NaN: model('{"a": NaN}'),
  'a list as a vocabulary': model('["a"]'),
  null: model('null', 'null'),
  'an unknown token in a merge': model(VOCAB, '[["a", "x"]]'),
  'a merge of tokens that do not join': model(VOCAB, '[["b", "a"]]'),
  'a merge of three': model(VOCAB, '[["a", "b", "c"]]'),
  'a line with two spaces': model(VOCAB, '["a b c"]'),
  'lines and pairs': model(VOCAB, '["a b", ["ab", "c"]]'),
  'a merge twice': model(VOCAB, '["a b", "ab c", "a b"]'),
  'merges before their vocabulary': `{"model": {"merges": ["a b"], "vocab": ${VOCAB}}}`,
  'two vocabularies': model(VOCAB, `[], "vocab": {"z": 0}`),
  'two models': `{"model": {"vocab": ${VOCAB}, "merges": []}, "model": {"vocab": {}, "merges": []}}`,
  'tokens with a prefix': model(
    '{"a": 0, "##b": 1, "ab": 2}',
    '["a ##b"]',
    '"continuing_subword_prefix": "##",',
  ),
  scores: '{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0], ["b", -1.5]]}}',
  'two tokens with one id': model('{"a": 0, "b": 0}', '[]'),
  'a comma too many': model('{"a": 0,}'),
  'a bad escape': model('{"\\x": 0}'),
  'a control character': model('{"\t": 0}'),
  'text after the end': `${model(VOCAB)} x`,
  'half a file': model(VOCAB).slice(0, 60),
  'a list': '[]',
  nothing: '',
}

/** A tokenizer, or the message of the error. */
async function opened(open: () => Tokenizer | Promise<Tokenizer>): Promise<unknown> {
  try {
    const tokenizer = await open()
    const texts = ['abcab', 'aé😀', 'a', '😀'.slice(0, 1)]
    return {
      json: tokenizer.toJSON(),
      keys: JSON.stringify(tokenizer),
      ids: texts.map((text) => encoded(tokenizer, text)),
      tokens: Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.idToToken(id)),
      size: tokenizer.vocabSize,
    }
  } catch (error) {
    return String(error)
  }
}

function encoded(tokenizer: Tokenizer, text: string): unknown {
  try {
    return tokenizer.encodeWithOffsets(text)
  } catch (error) {
    return String(error)
  }
}

async function expectSame(bytes: string | Uint8Array, folder?: string): Promise<void> {
  const path = join(folder ?? (await temporaryFolder()), 'tokenizer.json')
  await writeFile(path, bytes)
  const fromJson = await opened(async () => Tokenizer.fromJSON(await readJson(path), {}, path))
  expect(await opened(() => Tokenizer.fromFile(path))).toEqual(fromJson)
}

/** Whether a file was read into tables: its vocabulary is no plain object. */
async function isTable(text: string): Promise<boolean> {
  const path = join(await temporaryFolder(), 'tokenizer.json')
  await writeFile(path, text)
  const json = await readTokenizerJsonFile(path)
  const { vocab } = z.object({ model: z.object({ vocab: z.unknown() }) }).parse(json).model
  return Object.getPrototypeOf(vocab) !== Object.prototype
}

describe('files read into tables', () => {
  it.each(Object.keys(READ_AS_TABLES))('%s', async (name) => {
    await expectSame(READ_AS_TABLES[name])
    expect(await isTable(READ_AS_TABLES[name])).toBe(true)
  })
})

describe('files read as JSON', () => {
  it.each(Object.keys(READ_AS_JSON))('%s', (name) => expectSame(READ_AS_JSON[name]))

  it('invalid UTF-8', async () => {
    for (const bytes of [
      '\xff',
      '\xc3',
      '\xc0\x80',
      '\xe0\x80\x80',
      '\xed\xa0\x80',
      '\xf4\x90\x80\x80',
    ])
      await expectSame(Buffer.from(model(`{"a": 0, "x${bytes}": 1}`, '[]'), 'latin1'))
  })

  it('a byte-order mark', () => expectSame(`\ufeff${model(VOCAB)}`))
})

it('reads any damaged file as JSON is read', async () => {
  const tokenizer = trainTokenizer(['some words, some more words'], { type: 'bpe', vocabSize: 270 })
  const bytes = Buffer.from(JSON.stringify(tokenizer.toJSON()))
  const start = bytes.indexOf('"model"')
  const folder = await temporaryFolder()
  for (let i = 0; i < 80; i++) {
    const damaged = Buffer.from(bytes)
    for (let n = randomBelow(3, 5, i, 0); n >= 0; n--) {
      const at = start + randomBelow(bytes.length - start, 5, i, 3 * n + 1)
      const other = bytes[start + randomBelow(500, 5, i, 3 * n + 2)]
      damaged[at] = i % 2 === 0 ? randomBelow(256, 5, i, 3 * n + 3) : other
    }
    await expectSame(damaged, folder)
  }
})

it('gives the tables of a file to models that read JSON as JSON', async () => {
  registerTokenizerStep('model', 'PlainWords', {
    schema: z.object({ vocab: z.record(z.string(), z.number()) }),
    make: ({ vocab }) => {
      const ids = new Map(Object.entries(vocab))
      return {
        vocab: ids,
        encode: (word) => ({ ids: [ids.get(word) ?? 0], starts: [0], ends: [word.length] }),
      }
    },
  })
  const path = join(await temporaryFolder(), 'tokenizer.json')
  await writeFile(path, '{"model": {"type": "PlainWords", "vocab": {"a": 0, "b": 1}}}')
  expect((await Tokenizer.fromFile(path)).encode('b')).toEqual([1])
})

it('saves a file as it was read', async () => {
  const path = join(await temporaryFolder(), 'tokenizer.json')
  for (const merges of [['a b', 'ab c'], PAIRS]) {
    const text = model(VOCAB, JSON.stringify(merges))
    await writeFile(path, text)
    const saved = await temporaryFolder()
    await (await Tokenizer.fromFile(path)).save(saved)
    expect(await readJson(join(saved, 'tokenizer.json'))).toMatchObject(JSON.parse(text))
  }
})
