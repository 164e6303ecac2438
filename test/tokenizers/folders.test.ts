import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'

// Folders with the files that transformers reads when it opens a tokenizer, and what it makes of a few texts
// (scripts/fixtures/tokenizer_folders.py).

interface Folder {
  files: Record<string, string | { base64: string }>
  /** The number of tokens. */
  tokens: number
  named: Record<string, number>
  cases: {
    text: string
    ids: number[]
    offsets: [start: number, end: number][]
    decoded: string
    skipped: string
  }[]
}

const folders: Record<string, Folder> = JSON.parse(
  readFileSync(new URL('../fixtures/tokenizer-folders.json', import.meta.url), 'utf8'),
)

async function open(files: Folder['files']): Promise<Tokenizer> {
  const folder = await temporaryFolder()
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? content : Buffer.from(content.base64, 'base64')
    await writeFile(join(folder, name), bytes)
  }
  return Tokenizer.fromFile(folder)
}

describe.each(Object.entries(folders))(
  'the folder %s',
  (_name, { files, tokens, named, cases }) => {
    it("opens with transformers' tokens", async () => {
      const tokenizer = await open(files)
      for (const { text, ids, offsets, decoded, skipped } of cases) {
        const encoding = tokenizer.encodeWithOffsets(text)
        expect({ text, ids: encoding.ids, offsets: encoding.offsets }).toEqual({
          text,
          ids,
          offsets,
        })
        expect(tokenizer.encode(text)).toEqual(ids)
        expect(tokenizer.decode(ids)).toBe(decoded)
        expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(skipped)
      }
      const known = Object.entries({
        bos: tokenizer.bosTokenId,
        eos: tokenizer.eosTokenId,
        unk: tokenizer.unkTokenId,
        sep: tokenizer.sepTokenId,
        pad: tokenizer.padTokenId,
        cls: tokenizer.clsTokenId,
        mask: tokenizer.maskTokenId,
      })
      expect(Object.fromEntries(known.filter(([name]) => name in named))).toEqual(named)
      expect(tokenizer.vocabSize).toBeGreaterThanOrEqual(tokens)
    })
  },
)
