import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import type { LogitsProcessor } from './processors/processor.ts'
import { StopStrings } from './stop-strings.ts'

/** The part of a tokenizer that generation uses. */
export type TextTokenizer = Pick<
  Tokenizer,
  'encode' | 'decodeStream' | 'eosTokenId' | 'bosTokenId' | 'tokenToId' | 'idToToken' | 'isSpecial'
>

export interface TextWriterOptions {
  /** Stop strings; the text ends before the first of them. */
  stop?: readonly string[]
  /** The tokens of the prompt. The text is the difference that the new tokens make to the decoded prompt. */
  after?: readonly number[]
}

/**
 * Decodes generated tokens to text, up to the first stop string, in pieces that later tokens cannot change. All functions
 * that generate text use it.
 */
export class TextWriter {
  private readonly tokenizer: TextTokenizer
  private readonly stream: ReturnType<Tokenizer['decodeStream']>
  private readonly stops: StopStrings

  constructor(tokenizer: TextTokenizer, { stop = [], after }: TextWriterOptions = {}) {
    this.tokenizer = tokenizer
    this.stream = tokenizer.decodeStream({ skipSpecialTokens: true, after })
    this.stops = new StopStrings(stop)
  }

  /** Whether a stop string was found. */
  get stopped(): boolean {
    return this.stops.stopped
  }

  /** Adds a token. Returns the text that can be shown. */
  push(token: number): string {
    const { tokenizer } = this
    if (!tokenizer.isSpecial(token)) return this.stops.push(this.stream.push(token))
    return this.stops.push(tokenizer.idToToken(token) ?? '', { isShown: false })
  }

  /** Ends the text. Returns the rest. */
  end(): string {
    return this.stops.push(this.stream.end()) + this.stops.end()
  }
}

/** Decodes all generated tokens to text. */
export function textOf(
  tokens: readonly number[],
  tokenizer: TextTokenizer,
  options: TextWriterOptions,
): string {
  const writer = new TextWriter(tokenizer, options)
  let text = ''
  for (const token of tokens) text += writer.push(token)
  return text + writer.end()
}

/** Creates a logits processor that ends a text at a stop string, for beam search. */
export function stopAt(stop: readonly string[], tokenizer: TextTokenizer): LogitsProcessor {
  return {
    process() {},
    ends({ tokens, promptLength }) {
      const writer = new TextWriter(tokenizer, {
        stop,
        after: tokens.slice(Math.max(0, promptLength - 1), promptLength),
      })
      for (const token of tokens.slice(promptLength)) writer.push(token)
      writer.end()
      return writer.stopped
    },
  }
}

/** Encodes a prompt; an empty prompt becomes the beginning-of-text or end-of-text token. */
export function promptTokens(
  tokenizer: TextTokenizer,
  prompt: string,
  begin: number | undefined = tokenizer.bosTokenId ?? tokenizer.eosTokenId,
): number[] {
  const tokens = tokenizer.encode(prompt)
  if (tokens.length > 0) return tokens
  if (begin !== undefined) return [begin]
  throw new HeedError(
    'invalid-option',
    'The prompt must not be empty for a tokenizer without a beginning-of-text token, got an empty prompt',
    { key: 'prompt', value: prompt, remedy: 'Use a prompt of at least one character.' },
  )
}
