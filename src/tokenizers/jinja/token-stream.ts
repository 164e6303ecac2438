import { fail } from './failure.ts'
import type { Token, TokenType } from './lexer.ts'
import { quoted } from './repr.ts'

/** The token stream of the parser. Names and operators are compared by their text. */
export class TokenStream {
  private readonly tokens: readonly Token[]
  private at = 0

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens
  }

  get current(): Token {
    return this.tokens[this.at]
  }

  get ahead(): Token {
    return this.tokens[Math.min(this.at + 1, this.tokens.length - 1)]
  }

  next(): Token {
    const token = this.current
    if (token.type !== 'eof') this.at++
    return token
  }

  isType(...types: TokenType[]): boolean {
    return types.includes(this.current.type)
  }

  isName(...names: string[]): boolean {
    return this.current.type === 'name' && names.includes(this.current.value)
  }

  isOperator(...operators: string[]): boolean {
    return this.current.type === 'operator' && operators.includes(this.current.value)
  }

  takeName(name: string): boolean {
    const matches = this.isName(name)
    if (matches) this.next()
    return matches
  }

  takeOperator(operator: string): boolean {
    const matches = this.isOperator(operator)
    if (matches) this.next()
    return matches
  }

  expectOperator(operator: string): Token {
    return this.isOperator(operator) ? this.next() : this.unexpected(operator)
  }

  expectName(name: string): Token {
    return this.isName(name) ? this.next() : this.unexpected(name)
  }

  expectType(type: TokenType): Token {
    return this.isType(type) ? this.next() : this.unexpected(DESCRIPTIONS[type] ?? type)
  }

  unexpected(expected: string): never {
    const { current } = this
    return fail(
      'TemplateSyntaxError',
      current.type === 'eof'
        ? `unexpected end of template, expected ${quoted(expected)}.`
        : `expected token ${quoted(expected)}, got ${quoted(describe(current))}`,
    )
  }
}

export function describe(token: Token): string {
  if (token.type === 'name' || token.type === 'operator') return token.value
  return DESCRIPTIONS[token.type] ?? token.type
}

const DESCRIPTIONS: Partial<Record<TokenType, string>> = {
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  data: 'template data / text',
  eof: 'end of template',
}
