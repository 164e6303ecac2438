import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson, readJson, readJsonObject } from '../../src/io/files/json.ts'
import { HeedError } from '../../src/util/errors.ts'
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
    ['{\n  "a": 1,\n  "b" 2\n}', 'line 3, column 7: expected :, found "2"'],
    ['{"a": 1,}', 'line 1, column 9: expected a key in double quotes, found "}"'],
    ['[1, 2', 'line 1, column 6: expected , or ], found the end of the text'],
    ['["a\nb"]', 'line 1, column 4: "\\n" in a string: write it as \\n, \\t or \\uXXXX'],
    ['\n\n "abc', 'line 3, column 2: this string'],
    ['"\\x"', 'line 1, column 2: this escape is not valid in JSON'],
    ["{'a': 1}", 'line 1, column 2: expected a key in double quotes, found "\'"'],
    ['', 'line 1, column 1: the text is empty'],
    ['{} {}', 'line 1, column 4: "{" after the end of the value'],
    ['[undefined]', 'line 1, column 2: expected a value, found "undefined"'],
    ['['.repeat(1e6), 'line 1, column 257:'],
  ])('says where %j is wrong', (text, message) => {
    expect(() => parseJson(text, 'config.json')).toThrow(
      `config.json is not valid JSON: ${message}`,
    )
    expect(() => parseJson(text, 'config.json')).toThrow(HeedError)
  })

  it('never touches a prototype', () => {
    expect(() => parseJson('{"a": {"__proto__": {"x": 1}}}', 'f')).toThrow(
      /"__proto__" is not allowed/,
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
    expect(() => parseJson('[NaN]', 'f', { strict: true })).toThrow(/found "NaN"/)
  })

  it('refuses a key that is there twice when strict', () => {
    expect(parseJson('{"a": 1, "a": 2}', 'f')).toEqual({ a: 2 })
    expect(() => parseJson('{"a": 1, "a": 2}', 'f', { strict: true })).toThrow(
      /column 10: the key "a" appears twice/,
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
    await expect(readJson(path)).rejects.toThrow(`Cannot read ${path}: it does not exist`)
    await expect(readJson(folder)).rejects.toThrow(`Cannot read ${folder}: it is a folder`)
    await writeFile(path, '[1,\n2')
    await expect(readJson(path)).rejects.toThrow(`${path} is not valid JSON: line 2, column 2`)
    await expect(readJson(path, { maxBytes: 4 })).rejects.toThrow(
      /must have at most 4 bytes, got 5 bytes/,
    )
    await writeFile(path, Uint8Array.of(0x22, 0xff, 0x22))
    await expect(readJson(path)).rejects.toThrow(`Cannot read ${path}: it is not UTF-8 text`)
    await writeFile(path, '[1]')
    await expect(readJsonObject(path)).rejects.toThrow(/must be a JSON object .* got a list/)
  })
})
