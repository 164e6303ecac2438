import { describe, expect, it } from 'vitest'
import { Matcher, NOWHERE } from '../../src/generate/constrained/matcher.ts'
import { regexFragment } from '../../src/generate/constrained/regex.ts'
import { randomBelow } from '../../src/util/random.ts'
import { heedError } from '../support/heed-error.ts'

function matches(matcher: Matcher, text: string): boolean {
  let state = matcher.start
  for (const byte of new TextEncoder().encode(text)) {
    state = matcher.next(state, byte)
    if (state === NOWHERE) return false
  }
  return matcher.accepts(state)
}

const patterns = [
  'abc', 'a|b|', '(ab)*', '(a|b)*abb', 'a+b?c*', 'a{2}', 'a{2,}', 'a{1,3}b', '(a{0,2}b){2}', '[a-c]+',
  '[^a-c]*', '[abc-]{1,2}', '.', '\\d+', '\\w\\W', '\\s\\S', 'é+', '[à-ÿ]', '[\\u{1F600}-\\u{1F64F}]x',
  '\\u00e9', '\\x61', 'a\\.b', '\\[\\]', '(?:a|(?<name>b))c', '^ab$', '(a*)*b', '(a?){3}', '[^]', 'a*?b', '(|a)(b|)',
  '((a|b)(c|1)){1,2}', '[\\]a]', '-?(0|[1-9]\\d*)(\\.\\d+)?',
] // biome-ignore format: many short ones
const letters = [...'aabbcc1.-] é\n', 'à', '😀', '日', '[', 'x', '0']

describe('a regular expression', () => {
  it.each(patterns)('%s matches what JavaScript matches', (pattern) => {
    const matcher = new Matcher(regexFragment(pattern))
    const expected = new RegExp(`^(?:${pattern})$`, 'u')
    const texts = [...pattern.matchAll(/[a-z]+/g)].map(([word]) => word)
    for (let i = 0; i < 3000; i++) {
      const length = randomBelow(6, 1, i, 0)
      texts.push(
        Array.from({ length }, (_, k) => letters[randomBelow(letters.length, 2, i, k)]).join(''),
      )
    }
    for (const text of texts)
      expect([text, matches(matcher, text)]).toEqual([text, expected.test(text)])
  })

  it('follows every length of UTF-8, at its ends', () => {
    const points = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
    for (const low of points)
      for (const high of points.filter((point) => point >= low)) {
        const range = `[\\u{${low.toString(16)}}-\\u{${high.toString(16)}}]`
        const matcher = new Matcher(regexFragment(range))
        for (const point of points.flatMap((p) => [p - 1, p, p + 1])) {
          if (point < 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) continue
          const text = String.fromCodePoint(point)
          expect([range, point, matches(matcher, text)]).toEqual([
            range,
            point,
            point >= low && point <= high,
          ])
        }
      }
  })

  it('knows how far the end is', () => {
    const matcher = new Matcher(regexFragment('ab(c|de){2,}é?'))
    expect(matcher.distance(matcher.start)).toBe(4)
    const after = [...'abde'].reduce((s, c) => matcher.next(s, c.charCodeAt(0)), matcher.start)
    expect(matcher.distance(after)).toBe(1)
  })

  it('takes no longer for what makes others go back', () => {
    const matcher = new Matcher(regexFragment('(a+)+b|(a|a)*c|(a|aa)+d'))
    expect(matches(matcher, 'a'.repeat(20_000))).toBe(false)
    expect(matches(matcher, `${'a'.repeat(20_000)}d`)).toBe(true)
  })

  it.each([
    '(',
    ')',
    '[',
    '[b-a]',
    '[a-\\d]',
    'a{2,1}',
    'a{x}',
    'a{99999}',
    '*',
    'a**',
    '(?=a)',
    '(?<!a)',
    '(a)\\1',
    '\\b',
    '\\p{L}',
    'a^b',
    'a$b',
    '\\',
    '\\u{110000}',
    '\\xz1',
    '('.repeat(200),
    'a]',
  ])('%s is refused, with the place', (pattern) => {
    // biome-ignore format: many short ones
    expect(() => regexFragment(pattern)).toThrow(
      heedError('unsupported', { mentions: /character \d+/ }),
    )
  })

  it('is refused when it is too large', () => {
    expect(() => regexFragment('a'.repeat(10_001))).toThrow(
      heedError('invalid-option', { mentions: ['10000 characters', 'got 10001'] }),
    )
    expect(() => new Matcher(regexFragment('((a{1000}){1000}){1000}'))).toThrow(
      heedError('unsupported', { mentions: '200000 states' }),
    )
    const exponential = new Matcher(regexFragment('(a|b)*a(a|b){400}'))
    expect(() => {
      for (let i = 0; i < 100; i++)
        for (let k = 0, state = exponential.start; k < 2000; k++)
          state = exponential.next(state, randomBelow(2, i, k, 0) + 97)
    }).toThrow(heedError('unsupported', { mentions: 'states' }))
    expect(() => new Matcher(regexFragment('[^\\s\\S]'))).toThrow(
      heedError('invalid-option', { mentions: 'got none' }),
    )
  })
})
