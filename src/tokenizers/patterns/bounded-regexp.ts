import { HeedError } from '../../util/errors.ts'
import { isLinear } from './linear-proof.ts'
import { Matcher } from './matcher.ts'
import { compileProgram, type Program } from './program.ts'
import { parsePattern } from './syntax.ts'

/**
 * Makes a linear-time regular expression from the pattern of a tokenizer, which is untrusted. Returns the pattern if it
 * is proven to be linear, otherwise a version that an automaton matches. Undefined if neither is possible.
 */
export function boundedPattern(pattern: RegExp): RegExp | undefined {
  const tree = parsePattern(pattern.source)
  if (!tree) return undefined
  if (isLinear(tree)) return pattern
  const program = compileProgram(tree)
  return program && new AutomatonRegExp(pattern, program)
}

/** A regular expression for `match`, `matchAll` and `replace` that uses `Matcher` instead of backtracking. */
class AutomatonRegExp extends RegExp {
  private readonly program: Program

  constructor(pattern: RegExp, program: Program) {
    super(pattern.source, pattern.flags)
    this.program = program
  }

  override exec(text: string): RegExpExecArray | null {
    for (const [index, end] of this.matches(text, this.lastIndex)) {
      this.lastIndex = end
      return matchOf(text, index, end)
    }
    this.lastIndex = 0
    return null
  }

  override [Symbol.match](text: string): RegExpMatchArray | null {
    const [first, ...rest] = Array.from(this.matches(text), ([start, end]) =>
      text.slice(start, end),
    )
    return first === undefined ? null : [first, ...rest]
  }

  override *[Symbol.matchAll](text: string): RegExpStringIterator<RegExpExecArray> {
    for (const [index, end] of this.matches(text)) yield matchOf(text, index, end)
  }

  override [Symbol.replace](
    text: string,
    replacement: string | ((match: string, ...rest: unknown[]) => string),
  ): string {
    let result = ''
    let at = 0
    for (const [start, end] of this.matches(text)) {
      const match = text.slice(start, end)
      result += text.slice(at, start)
      result += typeof replacement === 'string' ? replacement : replacement(match, start, text)
      at = end
    }
    return result + text.slice(at)
  }

  private matches(text: string, from = 0): Generator<[start: number, end: number]> {
    return new Matcher(this.program, text, () => this.tooSlow(text.length)).all(from)
  }

  private tooSlow(length: number): HeedError {
    return new HeedError(
      'unsupported',
      `The pattern ${this.source.slice(0, 80)} of the tokenizer takes too long for a text of ${length} characters`,
      { key: 'pattern', value: this.source, remedy: 'Use a tokenizer with a simpler pattern.' },
    )
  }
}

function matchOf(text: string, index: number, end: number): RegExpExecArray {
  const match: [string, ...string[]] = [text.slice(index, end)]
  return Object.assign(match, { index, input: text })
}
