import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { StopStrings } from './stop-strings.ts'

/** The part of a tokenizer that generation uses. */
export type TextTokenizer = Pick<Tokenizer, 'encode' | 'decodeStream' | 'eosTokenId' | 'bosTokenId'>

/** Decodes tokens to complete characters, up to the first stop string. */
export class TextWriter {
  private readonly stream: ReturnType<Tokenizer['decodeStream']>
  private readonly stops: StopStrings

  constructor(tokenizer: TextTokenizer, stops: readonly string[] = []) {
    this.stream = tokenizer.decodeStream({ skipSpecialTokens: true })
    this.stops = new StopStrings(stops)
  }

  /** Whether a stop string was found. */
  get stopped(): boolean {
    return this.stops.stopped
  }

  /** Text that can be shown. */
  push(token: number): string {
    return this.stops.push(this.stream.push(token))
  }

  /** The rest at the end of the text. */
  end(): string {
    return this.stops.push(this.stream.end()) + this.stops.end()
  }
}

/** The tokens of a prompt; for an empty one, the token that begins or separates texts. */
export function promptTokens(tokenizer: TextTokenizer, prompt: string): number[] {
  const tokens = tokenizer.encode(prompt)
  if (tokens.length > 0) return tokens
  const start = tokenizer.bosTokenId ?? tokenizer.eosTokenId
  if (start !== undefined) return [start]
  throw new HeedError(
    'invalid-option',
    'The prompt must not be empty, as this tokenizer has no token that begins a text',
    { key: 'prompt', value: prompt, remedy: 'Give at least one character.' },
  )
}
