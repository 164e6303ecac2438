import { fail } from './failure.ts'

/** Parses a string literal without its quotes, with the escapes of Python. */
export function stringLiteral(body: string): string {
  if (!body.includes('\\')) return body
  return body.replace(ESCAPE, (written) => {
    const kind = written[1]
    if (kind === 'N') fail('Refused', 'names of characters (\\N{…}) in strings are not supported')
    if (kind === 'x' || kind === 'u' || kind === 'U') return numbered(kind, written.slice(2))
    if (/[0-7]/.test(kind)) return String.fromCharCode(Number.parseInt(written.slice(1), 8))
    return SIMPLE[kind] ?? written
  })
}

const ESCAPE = /\\(?:x[\da-fA-F]{0,2}|u[\da-fA-F]{0,4}|U[\da-fA-F]{0,8}|[0-7]{1,3}|[\s\S])/g
const SIMPLE: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const DIGITS = { x: 2, u: 4, U: 8 }

function numbered(kind: 'x' | 'u' | 'U', hex: string): string {
  if (hex.length < DIGITS[kind])
    fail('TemplateSyntaxError', `truncated \\${kind}${'X'.repeat(DIGITS[kind])} escape`)
  const code = Number.parseInt(hex, 16)
  if (code > 0x10ffff) fail('TemplateSyntaxError', 'illegal Unicode character')
  return String.fromCodePoint(code)
}
