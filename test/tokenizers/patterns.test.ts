import { describe, expect, it } from 'vitest'
import { compile } from '../../src/tokenizers/encode/settings.ts'
import { Tokenizer } from '../../src/tokenizers/index.ts'
import { boundedPattern } from '../../src/tokenizers/patterns/bounded-regexp.ts'
import { Matcher } from '../../src/tokenizers/patterns/matcher.ts'
import { compileProgram } from '../../src/tokenizers/patterns/program.ts'
import { parsePattern } from '../../src/tokenizers/patterns/syntax.ts'
import { heedError } from '../support/heed-error.ts'

const END = String.raw`|\s*[\r\n]+|\s+(?!\S)|\s+`
const SHORT = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
const [UPPER, LOWER] = ['\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}', '\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}']
const cased = (upper: string, lower: string) =>
  String.raw`[^\r\n\p{L}\p{N}]?[${upper}]*[${lower}]+${SHORT}?|[^\r\n\p{L}\p{N}]?[${upper}]+[${lower}]*${SHORT}?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*${END}`

const PUBLISHED: Record<string, string> = {
  'GPT-2': String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  'cl100k, Llama 3': String.raw`${SHORT}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*${END}`,
  'Qwen 2': String.raw`${SHORT}|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*${END}`,
  'Qwen 3.5': String.raw`${SHORT}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*${END}`,
  o200k: cased(UPPER, LOWER),
  'Kimi K2': `[\\p{Han}]+|${cased(`${UPPER}&&[^\\p{Han}]`, `${LOWER}&&[^\\p{Han}]`)}`,
  'DeepSeek V3': String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*${END}`,
  'DeepSeek V3, ideographs': '[一-龥\u3040-ゟ゠-ヿ]+',
  Bloom: String.raw` ?[^(\s|[.,!?…。，、।۔،])]+`,
  CLIP: String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
}

/** Patterns that JavaScript matches in quadratic to exponential time, and what they match of 20,000 letters. */
const HOSTILE: [pattern: string, text: string, matches: number][] = [
  ['(?:a|a){1,40}b', 'a', 0],
  ['a*a*b', 'a', 0],
  ['(a+)+$', 'a', 1],
  ['(a|aa)*b', 'a', 0],
  ['(a*)*b', 'a', 0],
  ['(x+x+)+y', 'x', 0],
  ['a*b|a', 'a', 20_000],
  ['(?:a?){30}a{30}b', 'a', 0],
  [String.raw`\s*\s*x|\s`, ' ', 20_000],
  [String.raw`(\p{L}|\p{L}a)*[0-9]`, 'a', 0],
  ['.*.*=.*', 'a', 0],
  ['(?:(?:a|a)*)*b|a+', 'a', 1],
]

const automaton = (pattern: string): RegExp => {
  const bounded = boundedPattern(compile({ Regex: pattern }))
  if (!bounded) throw new Error(`${pattern} is refused`)
  return bounded
}

describe('patterns of a tokenizer.json', () => {
  it.each(Object.entries(PUBLISHED))('%s is matched by JavaScript itself', (_, pattern) => {
    const compiled = compile({ Regex: pattern })
    expect(boundedPattern(compiled)).toBe(compiled)
  })

  it.each(HOSTILE)('%s takes time proportional to the text', (pattern, letter, matches) => {
    const bounded = automaton(pattern)
    expect(letter.repeat(20_000).match(bounded)?.length ?? 0).toBe(matches)
  })

  it('match as JavaScript does', () => {
    const random = generator(7)
    const patterns = [
      ...Object.values(PUBLISHED),
      ...Array.from({ length: 800 }, () => randomPattern(random)),
    ]
    for (const pattern of patterns) {
      const compiled = compile({ Regex: pattern })
      const tree = parsePattern(compiled.source)
      const program = tree && compileProgram(tree)
      if (!program) throw new Error(`${pattern} has no program`)
      for (let i = 0; i < 6; i++) {
        const text = Array.from({ length: random(14) }, () => TEXT[random(TEXT.length)]).join('')
        const expected = Array.from(text.matchAll(compiled), (m) => [
          m.index,
          m.index + m[0].length,
        ])
        const actual = [...new Matcher(program, text, () => new Error('too slow')).all()]
        expect([pattern, text, actual]).toEqual([pattern, text, expected])
      }
    }
  })

  it('replace and enumerate matches like other expressions', () => {
    const bounded = automaton('a*b|é')
    const text = 'caab é👍b'
    expect(text.replace(bounded, '-')).toBe('c- -👍-')
    expect(text.replace(bounded, (match) => `<${match}>`)).toBe('c<aab> <é>👍<b>')
    expect(Array.from(text.matchAll(bounded), ({ 0: match, index }) => [match, index])).toEqual([
      ['aab', 1],
      ['é', 5],
      ['b', 8],
    ])
    expect('xyz'.match(bounded)).toBe(null)
    expect([bounded.exec(text)?.[0], bounded.exec(text)?.index, bounded.lastIndex]).toEqual([
      'aab',
      5,
      6,
    ])
    bounded.lastIndex = 0
    expect([bounded.test('b'), bounded.test('b')]).toEqual([true, false])
  })

  it.each([['(a)\\1'], ['a{0,5000}b']])('%s is refused', (pattern) => {
    expect(boundedPattern(compile({ Regex: pattern }))).toBeUndefined()
  })

  it.each(['(?=(a*)*b)a', '(?:a{1,30}){1,30}b'])('%s stops with its name', (pattern) => {
    const tokenizer = Tokenizer.fromJSON({
      normalizer: null,
      pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' },
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    })
    expect(() => tokenizer.encode('a'.repeat(20_000))).toThrow(
      heedError('unsupported', { key: 'pattern', value: expect.stringContaining(pattern) }),
    )
  })
})

const TEXT = ['a', 'b', ' ', '\n', '1', 'é', '\u0301', "'", 's', 'A', '中', '\t', '.']
const ATOMS = [
  'a',
  'b',
  '[ab]',
  '\\p{L}',
  '\\s',
  '[^a]',
  '.',
  '\\d',
  '(?:a|b)',
  '(?:ab|a)',
  '(a*b)',
  '(?:a|)',
]
const PLACES = ['(?=a)', '(?!b)', '(?<=a)', '(?<!b)', '\\b', '^', '$']
const REPEATS = ['', '', '', '*', '+', '?', '{1,2}', '{2}', '*?', '+?', '??', '{0,3}', '{2,}']

function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
}

function randomPattern(random: (below: number) => number): string {
  const item = () =>
    random(4) === 0
      ? PLACES[random(PLACES.length)]
      : ATOMS[random(ATOMS.length)] + REPEATS[random(REPEATS.length)]
  const way = () => Array.from({ length: 1 + random(4) }, item).join('')
  return Array.from({ length: 1 + random(3) }, way).join('|')
}
