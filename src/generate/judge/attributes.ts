// The attributes that LaMDA judges in responses, and how a judgement is written as tokens.
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError } from '../../util/errors.ts'

/** Attributes of a response in LaMDA (Thoppilan et al., 2022, section 4). */
export const attributes = ['sensible', 'specific', 'interesting', 'safe'] as const

/** An attribute of a response: it makes sense, is specific to its context, is interesting, or is safe. */
export type Attribute = (typeof attributes)[number]

/** Probabilities that a response has an attribute. */
export type Ratings = Readonly<Partial<Record<Attribute, number>>>

/** The tokens of a judgement: those of the attribute, and the two ratings that may follow. */
export interface JudgementTokens {
  /** The attribute with a colon. */
  question: readonly number[]
  /** The token for 1. */
  yes: number
  /** The token for 0. */
  no: number
}

const known = new WeakMap<Tokenizer, Map<string, JudgementTokens>>()

/**
 * The tokens with which a model judges an attribute, after the tokens of the conversation.
 * @throws HeedError for a tokenizer that has no single, different tokens for the two ratings
 */
export function judgementTokens(tokenizer: Tokenizer, attribute: Attribute): JudgementTokens {
  const ofTokenizer = known.get(tokenizer) ?? new Map<string, JudgementTokens>()
  known.set(tokenizer, ofTokenizer)
  const tokens = ofTokenizer.get(attribute) ?? encoded(tokenizer, attribute)
  ofTokenizer.set(attribute, tokens)
  return tokens
}

function encoded(tokenizer: Tokenizer, attribute: Attribute): JudgementTokens {
  const encode = (rating: 0 | 1): number[] =>
    tokenizer.encode(`${attribute}: ${rating}`, { addSpecialTokens: false })
  const [yes, no] = [encode(1), encode(0)]
  const question = yes.slice(0, -1)
  const isSame = yes.length === no.length && question.every((id, i) => id === no[i])
  const [last, other] = [yes[question.length], no[question.length]]
  if (isSame && question.length > 0 && last !== other) return { question, yes: last, no: other }
  throw new HeedError(
    'unsupported',
    `A tokenizer for judgements must have different tokens for the digits 0 and 1, got [${yes.join(', ')}] for "${attribute}: 1" and [${no.join(', ')}] for "${attribute}: 0"`,
    {
      key: 'tokenizer',
      value: attribute,
      remedy: 'Use a tokenizer whose vocabulary has digits.',
    },
  )
}

/** The tokens of a conversation, and whether each belongs to its last message, the response. */
export async function encodeResponse(
  tokenizer: Tokenizer,
  context: readonly ChatMessage[],
  response: string,
): Promise<{ ids: number[]; written: boolean[] }> {
  const messages = [...context, { role: 'assistant', content: response }]
  const { ids, written } = await tokenizer.encodeChat(messages)
  if (!context.some(({ role }) => role === 'assistant')) return { ids, written }
  const text = await tokenizer.applyChatTemplate(context, { addGenerationPrompt: true })
  const { length } = tokenizer.encode(text, { addSpecialTokens: false })
  return { ids, written: written.map((is, i) => is && i >= length) }
}
