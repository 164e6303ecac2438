import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findTextFiles, readText, surveyText } from '../../src/data/index.ts'
import { findInvalidUtf8, incompleteTail } from '../../src/data/utf8.ts'
import { onWindows } from '../../src/util/on-windows.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { heedError } from '../support/heed-error.ts'
import { hasLinks } from '../support/links.ts'

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'text.txt')
  await writeFile(path, content)
  return path
}

describe('finding text', () => {
  it('lists the text files of a folder in the order of their names', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'b/c'), { recursive: true })
    await mkdir(join(folder, '.git'))
    const names = [
      'z.txt',
      'a.MD',
      'b/2.txt',
      'b/c/1.txt',
      'b/10.txt',
      '.hidden.txt',
      '.git/x.txt',
      'p.png',
    ]
    for (const name of names) await writeFile(join(folder, name), name)
    if (hasLinks) {
      await symlink(folder, join(folder, 'round'))
      await symlink(join(folder, 'gone'), join(folder, 'gone.txt'))
      await symlink(join(folder, 'z.txt'), join(folder, 'link.txt'))
    } else await writeFile(join(folder, 'link.txt'), '')
    const found = findTextFiles(folder).map((path) => relative(folder, path).replaceAll(sep, '/'))
    expect(found).toEqual(['a.MD', 'b/10.txt', 'b/2.txt', 'b/c/1.txt', 'link.txt', 'z.txt'])
  })

  it('takes a file whatever its name, and several paths in their order', async () => {
    const folder = await temporaryFolder()
    await writeFile(join(folder, 'data'), 'x')
    await writeFile(join(folder, 'a.txt'), 'y')
    const path = join(folder, 'data')
    expect(findTextFiles(path)).toEqual([path])
    expect(findTextFiles([path, folder])).toEqual([path, join(folder, 'a.txt')])
  })

  it('takes patterns, unless a file has that name', async () => {
    const folder = await temporaryFolder()
    for (const name of ['b.txt', 'a.txt', 'c.md']) await writeFile(join(folder, name), name)
    const pattern = join(folder, '*.txt')
    expect(findTextFiles(pattern)).toEqual(['a.txt', 'b.txt'].map((name) => join(folder, name)))
    expect(() => findTextFiles(join(folder, '*.csv'))).toThrow(
      heedError('missing-file', { key: 'data', mentions: '*.csv' }),
    )
    if (onWindows) return // where no file can have it
    await writeFile(pattern, 'x')
    expect(findTextFiles(pattern)).toEqual([pattern])
  })

  it('says what is missing', async () => {
    const folder = await temporaryFolder()
    expect(() => findTextFiles(join(folder, 'no.txt'))).toThrow(
      heedError('missing-file', { mentions: 'no.txt' }),
    )
    expect(() => findTextFiles(folder)).toThrow(
      heedError('invalid-data', { key: 'data', mentions: folder }),
    )
  })
})

describe('reading text', () => {
  it('gives the text, however long, without a byte order mark', async () => {
    const text = `\ufeff${'aé漢😀\ufeff\n'.repeat(700_000)}` // characters of 1 to 4 bytes over many pieces
    const pieces = [...readText(await file(text))]
    expect(pieces.length).toBeGreaterThan(1)
    expect(pieces.join('') === text.slice(1)).toBe(true)
  })

  it('reads UTF-16 with a byte order mark, and encodings that are given', async () => {
    const text = 'aé漢😀\n'.repeat(900_000)
    const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
    expect([...readText(await file(bytes))].join('') === text).toBe(true)
    expect([...readText(await file(bytes.swap16()))].join('') === text).toBe(true)
    const latin = await file(Buffer.from('caf\u00e9', 'latin1'))
    expect([...readText(latin, 'windows-1252')].join('')).toBe('café')
    expect(surveyText([latin], { encoding: 'windows-1252' }).characters).toBe(4)
  })

  it.each([
    ['a zero byte', [...Buffer.from('ab'), 0, 0xff], ['zero', 'byte 2']],
    ['Latin-1', Buffer.from('caf\u00e9 noir', 'latin1'), ['0xe9', 'byte 3']],
    ['half of a UTF-16 character', [0xff, 0xfe, 0x61], ['utf-16le', 'byte 3']],
    ['a broken end', [0x61, 0xe2, 0x82], ['0xe2', 'byte 1']],
    ['half a pair', [0x61, 0xed, 0xa0, 0x80], ['0xed', 'byte 1']],
  ])('refuses %s, with the place', async (_, bytes, mentions) => {
    const path = await file(Uint8Array.from(bytes))
    expect(() => [...readText(path)]).toThrow(heedError('invalid-data', { mentions }))
    expect(() => [...readText(path)]).toThrow(path)
  })

  it('names the place in a later piece too', async () => {
    const bytes = new Uint8Array(9_000_000).fill(0x61)
    bytes[8_765_432] = 0xc0
    const path = await file(bytes)
    expect(() => surveyText([path])).toThrow(
      heedError('invalid-data', { mentions: 'byte 8765432' }),
    )
  })

  it('knows UTF-8 as the platform does', () => {
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0xbf),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), fc.array(byte, { maxLength: 12 }), (a, b) => {
        for (const bytes of [a, Uint8Array.from(b)]) {
          expect(findInvalidUtf8(bytes) < 0).toBe(decodes(bytes))
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('knows where a character is cut off', () => {
    const whole = Buffer.from('aé漢😀')
    expect(Array.from(whole, (_, i) => incompleteTail(whole.subarray(0, i + 1)))).toEqual([
      0, 1, 0, 1, 2, 0, 1, 2, 3, 0,
    ])
  })
})

describe('the survey', () => {
  it('changes its hash with the text and with where the files end', async () => {
    const [one, two, joined, empty] = await Promise.all(['ab', 'cd', 'abcd', ''].map(file))
    const hashes = [[one, two], [two, one], [joined], [joined, empty]].map(
      (f) => surveyText(f).hash,
    )
    expect(new Set(hashes).size).toBe(4)
    expect(surveyText([one, two])).toEqual(surveyText([one, two]))
    expect(surveyText([one, two]).characters).toBe(4)
  })

  it('refuses text with nothing in it', async () => {
    const [empty, mark, same] = await Promise.all(['', '\ufeff', '😀'.repeat(500)].map(file))
    expect(() => surveyText([empty])).toThrow(
      heedError('invalid-data', { key: 'data', mentions: ['text.txt', 'got 0 characters'] }),
    )
    expect(() => surveyText([mark, empty])).toThrow(
      heedError('invalid-data', { key: 'data', mentions: ['2 files', 'got 0 characters'] }),
    )
    expect(() => surveyText([same])).toThrow(
      heedError('invalid-data', { key: 'data', mentions: ['got 1000 times', '"😀"'] }),
    )
    expect(surveyText([same, empty, await file('a')]).characters).toBe(1001)
  })
})

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
