import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { StopStrings } from './stop-strings.ts'

/** What generation asks of a tokenizer. */
export type TextTokenizer = Pick<Tokenizer, 'encode' | 'decodeStream' | 'eosTokenId' | 'bosTokenId'>

/** Text from tokens: whole characters, up to the first stop string. */
export class TextWriter {
  private readonly stream: ReturnType<Tokenizer['decodeStream']>
  private readonly stops: StopStrings

  constructor(tokenizer: TextTokenizer, stops: readonly string[] = []) {
    this.stream = tokenizer.decodeStream({ skipSpecialTokens: true })
    this.stops = new StopStrings(stops)
  }

  /** Whether a stop string has come. */
  get stopped(): boolean {
    return this.stops.stopped
  }

  /** What can be shown now. */
  push(token: number): string {
    return this.stops.push(this.stream.push(token))
  }

  /** What is left. */
  end(): string {
    return this.stops.push(this.stream.end()) + this.stops.end()
  }
}

/** The prompt's tokens; of an empty one, the token that begins or parts texts. */
export function promptTokens(tokenizer: TextTokenizer, prompt: string): number[] {
  const tokens = tokenizer.encode(prompt)
  if (tokens.length > 0) return tokens
  const start = tokenizer.bosTokenId ?? tokenizer.eosTokenId
  if (start !== undefined) return [start]
  throw new HeedError(
    'invalid-option',
    'The prompt is empty, and this tokenizer has no token that begins a text',
    {
      remedy: 'Give at least one character to start from.',
    },
  )
}
