import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Tokenizer } from '../../src/tokenizers/index.ts'

// Random tokenizers of every component of Python's `tokenizers`, with what it makes of unusual texts
// (scripts/sweeps/tokenizer_pipelines.py; `npm run sweep:tokenizers` compares many more).

interface Line {
  name: string
  tokenizer: unknown
  cases: {
    text: string
    ids?: number[]
    offsets: [start: number, end: number][]
    decoded: string
    skipped: string
  }[]
}

const file = new URL('../fixtures/tokenizer-pipelines.jsonl', import.meta.url)
const lines: Line[] = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))

describe('random tokenizers', () => {
  it.each(lines)('$name', ({ tokenizer: json, cases }) => {
    const tokenizer = Tokenizer.fromJSON(json)
    for (const { text, ids, offsets, decoded, skipped } of cases) {
      if (!ids) continue // Python cannot encode it
      const encoding = tokenizer.encodeWithOffsets(text)
      expect({ text, ids: encoding.ids, offsets: encoding.offsets }).toEqual({ text, ids, offsets })
      expect(tokenizer.encode(text)).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(decoded)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(skipped)
    }
  })

  it('have every component', () => {
    const text = lines.map(({ tokenizer }) => JSON.stringify(tokenizer)).join('')
    for (const type of TYPES) expect(text).toContain(`"type":"${type}"`)
  })
})

const TYPES =
  `BertNormalizer ByteLevel Lowercase NFC NFD NFKC NFKD Nmt Prepend Replace Sequence Strip StripAccents
BertPreTokenizer CharDelimiterSplit Digits FixedLength Metaspace Punctuation Split UnicodeScripts Whitespace
WhitespaceSplit BPE Unigram WordLevel WordPiece BertProcessing RobertaProcessing TemplateProcessing
BPEDecoder ByteFallback CTC Fuse`.split(/\s/)
