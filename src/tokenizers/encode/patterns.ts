import { SplitPreTokenizer } from '@huggingface/tokenizers'

/**
 * A pattern of `tokenizer.json`, `{ Regex }` or `{ String }`, as a JavaScript expression. The
 * files are written for Oniguruma; the library knows how its syntax reads here.
 */
export function compilePattern(pattern: unknown): RegExp {
  const compiled = new SplitPreTokenizer({ pattern, invert: true } as never).pattern
  if (compiled) return compiled
  throw new Error(`Unknown pattern: ${JSON.stringify(pattern)}`)
}
