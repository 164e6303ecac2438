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
  /** The text ends before the first of these strings. */
  stop?: readonly string[]
  /** The tokens of the prompt: the text is what decoding adds to theirs. */
  after?: readonly number[]
}

/**
 * The text of generated tokens, up to the first stop string, in pieces that no later token can change. All generation
 * writes text in this way.
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

  /** Text that can be shown. */
  push(token: number): string {
    const { tokenizer } = this
    if (!tokenizer.isSpecial(token)) return this.stops.push(this.stream.push(token))
    return this.stops.push(tokenizer.idToToken(token) ?? '', { isShown: false })
  }

  /** The rest at the end of the text. */
  end(): string {
    return this.stops.push(this.stream.end()) + this.stops.end()
  }
}

/** The whole text of generated tokens. */
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

/** Ends a text that contains a stop string: for searches, which continue several texts at once. */
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

/** The tokens of a prompt; for an empty one, the token that begins or separates texts. */
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
    'The prompt must not be empty, as this tokenizer has no token that begins a text',
    { key: 'prompt', value: prompt, remedy: 'Give at least one character.' },
  )
}
