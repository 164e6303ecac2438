import type { GenerationConfig } from './config/generation-config.ts'
import type { TextTokenizer } from './text-writer.ts'

export interface EndOptions {
  /** Whether the end tokens and stop strings of the model and its tokenizer end the text. Default true. */
  stopAtEnd?: boolean
  /** Further tokens that end the text. */
  stopTokens?: readonly number[]
  /** The text ends before the first of these strings, which may be special tokens; no part of one is shown. */
  stop?: readonly string[]
}

/** Where a text ends. */
export interface Ends {
  /** The tokens that end it. */
  tokens: readonly number[]
  /** The strings before which it ends. */
  strings: readonly string[]
}

/**
 * All that ends a text: the tokenizer's end of text, the end tokens and stop strings of the model's files, and those of
 * the options. A stop string that is a token is searched as both.
 */
export function endsOf(
  { eos_token_id, stop_strings }: Pick<GenerationConfig, 'eos_token_id' | 'stop_strings'>,
  tokenizer: Pick<TextTokenizer, 'eosTokenId' | 'tokenToId' | 'isSpecial'> | undefined,
  { stopAtEnd = true, stopTokens = [], stop = [] }: EndOptions,
): Ends {
  const own = stopAtEnd ? [tokenizer?.eosTokenId, eos_token_id].flat() : []
  const strings = unique([...stop, ...(stopAtEnd ? (stop_strings ?? []) : [])])
  const named = strings
    .map((string) => tokenizer?.tokenToId(string))
    .filter((id) => id !== undefined && tokenizer?.isSpecial(id))
  return { tokens: unique([...stopTokens, ...own, ...named].filter((id) => id != null)), strings }
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)]
