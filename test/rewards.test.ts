// Rewards of heed/rewards.
import { describe, expect, it } from 'vitest'
import { exactMatch, jsonSchemaMatch, lengthReward, numberMatch, parseReward, patternMatch, rewardNames } from '../src/rewards/index.ts' // biome-ignore format: one line
import { heedError } from './support/heed-error.ts'

const row = { answer: ' Paris', total: 'so 3 + 4 = 1,007.5' }

describe('rewards', () => {
  it('for known answers', () => {
    expect(exactMatch()('', 'Paris\n', row)).toBe(1)
    expect(exactMatch()('', 'paris', row)).toBe(0)
    expect(exactMatch({ caseSensitive: false })('', 'paris', row)).toBe(1)
    const number = numberMatch({ column: 'total', tolerance: 0.5 })
    expect(['it is 1007.5', '12 or 1,008', '-1007.5', 'none', '1007.5 or 2'].map((text) => number('', text, row))).toEqual([1, 1, 0, 0, 0]) // biome-ignore format: one line
    expect(numberMatch()('', 'x = -0.5e1', { answer: -5 })).toBe(1)
    expect(() => exactMatch({ column: 'x' })('', 'a', row)).toThrow(heedError('invalid-data', { key: 'x' })) // biome-ignore format: one line
    expect(() => numberMatch()('', '1', row)).toThrow(heedError('invalid-data', { key: 'answer' }))
  })

  it('for patterns, as a whole and in linear time', () => {
    const reward = patternMatch('<b>(.|\\n)*</b>|é+')
    expect(['<b>a\nb</b>', 'x<b></b>', 'éé', ''].map((text) => reward('', text, {}))).toEqual([1, 0, 1, 0]) // biome-ignore format: one line
    const started = performance.now()
    expect(patternMatch('(a*)*b')('', 'a'.repeat(20_000), {})).toBe(0)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('for JSON of a schema', () => {
    const reward = jsonSchemaMatch({ type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }) // biome-ignore format: one line
    expect(['{"a": 1}', '{"a": "1"}', '{}', 'a', '{"a": 1'].map((text) => reward('', text, {}))).toEqual([1, 0, 0, 0, 0]) // biome-ignore format: one line
  })

  it('for lengths', () => {
    const reward = lengthReward({ max: 4, over: 2 })
    expect(['abcd', 'abcde', 'abcdef', 'abcdefgh'].map((text) => reward('', text, {}))).toEqual([-0, -0.5, -1, -1]) // biome-ignore format: one line
  })

  it('by name with options', () => {
    expect(parseReward('number:column=total,tolerance=0.5')('', '1008', row)).toBe(1)
    expect(parseReward('exact-match:caseSensitive=false')('', 'PARIS', row)).toBe(1)
    expect(parseReward('pattern:pattern=a{1,2}')('', 'aa', row)).toBe(1)
    expect(parseReward('length:max=2')('', 'aaa', row)).toBe(-0.5)
    expect(rewardNames().map(({ name }) => name)).toContain('json-schema')
    expect(() => parseReward('exact-mach')).toThrow(heedError('unknown-name', { key: 'reward', value: 'exact-mach' })) // biome-ignore format: one line
    expect(() => parseReward('number:tolerance=x')).toThrow(heedError('invalid-option', { key: 'tolerance', value: 'x' })) // biome-ignore format: one line
    expect(() => parseReward('number:tolerence=1')).toThrow(heedError('invalid-option'))
    expect(() => parseReward('length')).toThrow(heedError('invalid-option', { key: 'max', mentions: ['max', 'none'] })) // biome-ignore format: one line
  })
})
