import type { GenerationConfig } from './config/generation-config.ts'
import type { TextTokenizer } from './text-writer.ts'

/** Options for the end of a text. */
export interface EndOptions {
  /** Whether the end tokens and stop strings of the model and its tokenizer end the text. Default true. */
  stopAtEnd?: boolean
  /** Further tokens that end the text. */
  stopTokens?: readonly number[]
  /** Stop strings, which may be special tokens: the text ends before the first of them, and shows no part of it. */
  stop?: readonly string[]
}

/** The tokens and strings that end a text. */
export interface Ends {
  /** End tokens. */
  tokens: readonly number[]
  /** Stop strings. */
  strings: readonly string[]
}

/**
 * Collects everything that ends a text: the end-of-text token of the tokenizer, the end tokens and stop strings of the
 * model's files, and the options. A stop string that is a special token is used as both.
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
