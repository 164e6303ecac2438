import { describe, expect, it } from 'vitest'
import { StopStrings } from '../../src/generate/stop-strings.ts'
import { heedError } from '../support/heed-error.ts'

describe('stop strings', () => {
  it('let go at once of what cannot become one', () => {
    const stops = new StopStrings(['STOP', 'end.'])
    expect(stops.push('a S')).toBe('a ')
    expect(stops.push('T')).toBe('')
    expect(stops.push('E e')).toBe('STE ')
    expect(stops.push('nd')).toBe('')
    expect(stops.push('ing ')).toBe('ending ')
    expect(stops.push('STSTOP, and on')).toBe('ST')
    expect(stops.stopped).toBe(true)
    expect(stops.push('more')).toBe('')
    expect(stops.end()).toBe('')
  })

  it('show at the end what was waited with', () => {
    const stops = new StopStrings(['aab'])
    expect(stops.push('aaa')).toBe('a')
    expect(stops.end()).toBe('aa')
  })

  it('stop at the first of several', () => {
    const stops = new StopStrings(['later', 'now'])
    expect(stops.push('it is now, not later')).toBe('it is ')
  })

  it('let all through when there are none, and refuse an empty one', () => {
    expect(new StopStrings([]).push('all')).toBe('all')
    expect(() => new StopStrings([''])).toThrow(
      heedError('invalid-option', { key: 'stop', value: '' }),
    )
  })
})
