import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, readJson, readJsonObject } from '../../src/io/files/json.ts'
import { heedError } from '../support/heed-error.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('parseJson', () => {
  it('agrees with JSON.parse on valid text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!text.includes('__proto__'))
        expect(parseJson(text, 'f')).toEqual(JSON.parse(text))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses what JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"\\',
      '1',
      '-',
      '.',
      'e',
      '0',
      'tru',
      'null',
      ' ',
      '\n',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 7 }), (parts) => {
        const text = parts.join('')
        const accepts = (parse: () => unknown) => {
          try {
            parse()
            return true
          } catch {
            return false
          }
        }
        const ours = accepts(() => parseJson(text, 'f'))
        expect(ours, text).toBe(accepts(() => JSON.parse(text)))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['{\n  "a": 1,\n  "b" 2\n}', 'line 3, column 7: ', 'expected :', '"2"'],
    ['{"a": 1,}', 'line 1, column 9: ', 'key', '"}"'],
    ['[1, 2', 'line 1, column 6: ', 'expected , or ]'],
    ['["a\nb"]', 'line 1, column 4: ', '"\\n"', '\\uXXXX'],
    ['\n\n "abc', 'line 3, column 2: ', 'string'],
    ['"\\x"', 'line 1, column 2: ', 'escape'],
    ["{'a': 1}", 'line 1, column 2: ', 'key', '"\'"'],
    ['', 'line 1, column 1: ', 'empty'],
    ['{} {}', 'line 1, column 4: "{"'],
    ['[undefined]', 'line 1, column 2: ', 'value', '"undefined"'],
    ['['.repeat(1e6), 'line 1, column 257:'],
  ])('says where %j is wrong', (text, ...mentions) => {
    expect(() => parseJson(text, 'config.json')).toThrow(
      heedError('corrupt-file', { mentions: ['config.json', 'JSON', ...mentions] }),
    )
  })

  it('never touches a prototype', () => {
    expect(() => parseJson('{"a": {"__proto__": {"x": 1}}}', 'f')).toThrow(
      heedError('corrupt-file', { mentions: '"__proto__"' }),
    )
    const vocab = parseJson('{"__proto__": 7, "constructor": 8}', 'f')
    expect(Object.entries(vocab as object)).toEqual([
      ['__proto__', 7],
      ['constructor', 8],
    ])
    expect(Object.getPrototypeOf(vocab)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it('reads the NaN and Infinity that Python writes, but not when strict', () => {
    expect(parseJson('[NaN, Infinity, -Infinity]', 'f')).toEqual([Number.NaN, Infinity, -Infinity])
    expect(() => parseJson('[NaN]', 'f', { strict: true })).toThrow(
      heedError('corrupt-file', { mentions: '"NaN"' }),
    )
  })

  it('refuses a key that is there twice when strict', () => {
    expect(parseJson('{"a": 1, "a": 2}', 'f')).toEqual({ a: 2 })
    expect(() => parseJson('{"a": 1, "a": 2}', 'f', { strict: true })).toThrow(
      heedError('corrupt-file', { mentions: ['column 10', '"a"'] }),
    )
  })

  it('takes strings of any length', () => {
    const long = JSON.stringify('é\n'.repeat(5e6))
    expect(parseJson(long, 'f')).toHaveLength(1e7)
  })
})

describe('readJson', () => {
  it('reads a file, with or without a byte order mark', async () => {
    const path = join(await temporaryFolder(), 'x.json')
    await writeFile(path, '\ufeff{"a": [1, "é"]}')
    expect(await readJson(path)).toEqual({ a: [1, 'é'] })
    expect(await readJsonObject(path)).toEqual({ a: [1, 'é'] })
  })

  it('names the file in every error', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'x.json')
    await expect(readJson(path)).rejects.toThrow(heedError('missing-file', { value: path }))
    await expect(readJson(folder)).rejects.toThrow(
      heedError('file-system', { value: folder, mentions: 'folder' }),
    )
    await writeFile(path, '[1,\n2')
    await expect(readJson(path)).rejects.toThrow(
      heedError('corrupt-file', { mentions: [path, 'JSON', 'line 2, column 2'] }),
    )
    await expect(readJson(path, { maxBytes: 4 })).rejects.toThrow(
      heedError('unsupported', { value: 5, mentions: ['4 bytes', 'got 5 bytes'] }),
    )
    await writeFile(path, Uint8Array.of(0x22, 0xff, 0x22))
    await expect(readJson(path)).rejects.toThrow(
      heedError('corrupt-file', { mentions: [path, 'UTF-8'] }),
    )
    await writeFile(path, '[1]')
    await expect(readJsonObject(path)).rejects.toThrow(
      heedError('corrupt-file', { mentions: ['JSON object', 'list'] }),
    )
  })
})
