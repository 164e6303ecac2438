import type { Tokenizer } from '../../tokenizers/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HIDDEN, type LogitsProcessor, type Text } from '../processors/processor.ts'
import type { Fragment } from './automaton.ts'
import { jsonSchemaFragment } from './json-schema.ts'
import { Matcher, NOWHERE } from './matcher.ts'
import { regexFragment } from './regex.ts'
import { TokenTrie } from './token-trie.ts'

/** The part of a tokenizer that constraints use. */
export type ByteTokenizer = Pick<Tokenizer, 'tokenBytes' | 'vocabSize' | 'eosTokenId'>

const checkMatchRegex = argumentKinds('matchRegex', { pattern: 'text', tokenizer: 'tokenizer' })

/**
 * Creates a logits processor that generates text which matches a regular expression as a whole. Supported are literals,
 * classes, groups, alternatives and repetitions; back-references and look-around are not.
 * @throws HeedError for unsupported syntax, and for a pattern that the vocabulary cannot match
 */
export function matchRegex(pattern: string, tokenizer: ByteTokenizer): LogitsProcessor {
  checkMatchRegex(pattern, tokenizer)
  return new Constraint(regexFragment(pattern), tokenizer)
}

const checkMatchJsonSchema = argumentKinds('matchJsonSchema', {
  schema: 'any',
  tokenizer: 'tokenizer',
})

/**
 * Creates a logits processor that generates JSON which conforms to a schema. Supported are objects (with exactly the
 * properties of the schema, in its order), arrays, strings with lengths, patterns and some formats, numbers, enum, const,
 * anyOf and local $ref.
 * @throws HeedError with the position of an unsupported keyword
 */
export function matchJsonSchema(schema: unknown, tokenizer: ByteTokenizer): LogitsProcessor {
  checkMatchJsonSchema(schema, tokenizer)
  return new Constraint(jsonSchemaFragment(schema), tokenizer)
}

/** Hides the tokens that cannot continue a text of the language (Willard and Louf, 2023). */
class Constraint implements LogitsProcessor {
  private readonly matcher: Matcher
  private readonly vocabulary: Vocabulary
  private readonly endToken: number | undefined
  /** For each state and token: 0 if the token is hidden, otherwise 1 + the number of bytes to a complete text. */
  private readonly masks = new Map<number, Uint8Array>()
  private readonly reached = new WeakMap<readonly number[], { length: number; state: number }>()

  constructor(language: Fragment, tokenizer: ByteTokenizer) {
    this.vocabulary = vocabularyOf(tokenizer)
    this.matcher = new Matcher(language, this.vocabulary.usable)
    this.endToken = tokenizer.eosTokenId
  }

  process(scores: Float32Array, text: Text): void {
    const state = this.stateOf(text)
    const mask = state === NOWHERE ? new Uint8Array(0) : this.maskOf(state)
    const most = this.mostMissing(mask, text)
    const mayEnd = state === NOWHERE || this.matcher.accepts(state)
    const ends = this.endsOf(text).map((token) => [token, mayEnd ? scores[token] : HIDDEN])
    for (let token = 0; token < scores.length; token++) {
      const missing = mask[token] // undefined if the model has more rows than the tokenizer has tokens
      if (!(missing > 0 && missing <= most)) scores[token] = HIDDEN
    }
    for (const [token, score] of ends) scores[token] = score
  }

  private endsOf({ stopTokens = [] }: Text): number[] {
    return this.endToken === undefined ? [...stopTokens] : [...stopTokens, this.endToken]
  }

  ends(text: Text): boolean {
    const state = this.stateOf(text)
    return state !== NOWHERE && this.matcher.accepts(state) && !this.matcher.goesOn(state)
  }

  /**
   * The maximum number of missing bytes of an allowed token. To complete the text within `maxTokens`, the missing bytes
   * must fit into the remaining tokens. If no token satisfies this, the tokens with the fewest missing bytes are allowed.
   */
  private mostMissing(mask: Uint8Array, { tokens, promptLength, maxTokens }: Text): number {
    const left = maxTokens - (tokens.length - promptLength) - 1
    if (left >= FAR) return FAR
    let least = FAR
    for (const missing of mask) if (missing > 0 && missing < least) least = missing
    return Math.max(least, left + 1)
  }

  private stateOf({ tokens, promptLength }: Text): number {
    const before = this.reached.get(tokens)
    const known = before && before.length <= tokens.length
    let state = known ? before.state : this.matcher.start
    for (let i = known ? before.length : promptLength; i < tokens.length; i++)
      state = this.after(state, tokens[i])
    this.reached.set(tokens, { length: tokens.length, state })
    return state
  }

  private after(state: number, token: number): number {
    if (token === this.endToken) return state
    const bytes = this.vocabulary.bytes[token]
    if (!bytes) return NOWHERE
    let at = state
    for (let i = 0; i < bytes.length && at !== NOWHERE; i++) at = this.matcher.next(at, bytes[i])
    return at
  }

  private maskOf(state: number): Uint8Array {
    const known = this.masks.get(state)
    if (known) return known
    const mask = new Uint8Array(this.vocabulary.bytes.length)
    this.vocabulary.trie.follow(this.matcher, state, (token, next) => {
      mask[token] = Math.min(FAR, 1 + this.matcher.distance(next))
    })
    if (this.masks.size === MOST_MASKS) this.masks.delete(this.masks.keys().next().value as number)
    this.masks.set(state, mask)
    return mask
  }
}

const FAR = 255
const MOST_MASKS = 256

interface Vocabulary {
  bytes: readonly (Uint8Array | null)[]
  trie: TokenTrie
  /** For each byte, whether any token contains it. */
  usable: readonly boolean[]
}

const vocabularies = new WeakMap<ByteTokenizer, Vocabulary>()

function vocabularyOf(tokenizer: ByteTokenizer): Vocabulary {
  const known = vocabularies.get(tokenizer)
  if (known) return known
  const length = tokenizer.vocabSize
  const bytes = Array.from({ length }, (_, id) => tokenizer.tokenBytes(id))
  const usable = new Array<boolean>(256).fill(false)
  for (const token of bytes) for (const byte of token ?? []) usable[byte] = true
  const made = { bytes, trie: new TokenTrie(bytes), usable }
  vocabularies.set(tokenizer, made)
  return made
}
