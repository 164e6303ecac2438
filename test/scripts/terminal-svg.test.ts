import { describe, expect, it } from 'vitest'
import { terminalSvg } from '../../scripts/terminal-svg.ts'

const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text]) => text)

describe('the picture of a terminal', () => {
  it('shows what stands there in the end, not what was drawn over', () => {
    const output = 'first\r\nstep 1\r\nloss 4\r\n\x1b[2A\x1b[Jstep 2\r\nloss 3\r\nlast\r\n'
    expect(textsOf(terminalSvg(output))).toEqual(['first', 'step 2', 'loss 3', 'last'])
    expect(textsOf(terminalSvg('10 %\r99 %\x1b[K\n'))).toEqual(['99 %'])
  })

  it('keeps colours, and passes over what it does not know', () => {
    const svg = terminalSvg('\x1b]0;title\x07\x1b[?25l\x1b[32mgreen\x1b[39m \x1b[1;2mfaint\x1b[0m')
    expect(svg).toContain('fill="#7cc983">green')
    expect(svg).toContain('font-weight="bold" opacity="0.6">faint')
    expect(textsOf(svg)).toEqual(['green', 'faint'])
  })

  it('places what stands behind spaces, which viewers fold', () => {
    const svg = terminalSvg('a b   c \x1b[1md')
    expect(textsOf(svg)).toEqual(['a b', 'c', 'd'])
    expect([...svg.matchAll(/<text x="([\d.]+)"/g)].map(([, x]) => Number(x))).toEqual([
      20, 70.4, 87.2,
    ])
  })

  it('escapes markup and wraps long lines', () => {
    expect(textsOf(terminalSvg('<a & b>'))).toEqual(['&lt;a &amp; b&gt;'])
    expect(textsOf(terminalSvg('abcdef', { columns: 4 }))).toEqual(['abcd', 'ef'])
  })

  it('draws bars and curves as shapes', () => {
    const svg = terminalSvg('██░░\n⠁⢀')
    expect(svg.match(/<rect x/g)).toHaveLength(2)
    expect(svg.match(/h0/g)).toHaveLength(2)
    expect(textsOf(svg)).toEqual([])
  })
})
