// Conversations as examples: their tokens, which of them are counted, and what fits into the context.
import { z } from 'zod'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'

/** A conversation as tokens. */
export interface Conversation {
  ids: readonly number[]
  /** For each token, the next token if the assistant writes it, and -100 otherwise. */
  targets: readonly number[]
  /** Whether the beginning was cut off. */
  cut: boolean
}

/** What happens to conversations that are longer than the context. */
export type TooLong = 'drop' | 'cut'

export const tooLongOption = z
  .enum(['drop', 'cut'])
  .default('drop')
  .describe('what to do with conversations longer than the context: drop, or cut the start')

export const templateOption = z
  .string()
  .nullable()
  .default(null)
  .describe(
    'chat template for a model without one: chatml, llama3, alpaca or a file; new tokens are added to the model',
  )

/** Encodes a conversation with the chat template of the tokenizer. */
export async function encodeConversation(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  tools?: unknown[],
): Promise<Conversation> {
  const { ids, written } = await tokenizer.encodeChat(messages, { tools })
  const targets = ids.slice(1).map((id, i) => (written[i + 1] ? id : -100))
  return { ids: ids.slice(0, -1), targets, cut: false }
}

/** Whether a target is counted. */
export const isCounted = (target: number): boolean => target !== -100

/**
 * Fits a conversation to a length: as it is, or its end. An answer whose beginning is cut off is not counted.
 * @returns null if the option says to drop it, or if no answer is left
 */
export function fitTo(
  conversation: Conversation,
  length: number,
  tooLong: TooLong,
): Conversation | null {
  const { ids, targets } = conversation
  if (ids.length <= length) return conversation
  if (tooLong === 'drop') return null
  const from = ids.length - length
  const kept = targets.slice(from)
  const prompt = isCounted(targets[from - 1]) ? kept.indexOf(-100) : 0
  if (prompt < 0 || !kept.slice(prompt).some(isCounted)) return null
  return { ids: ids.slice(from), targets: kept.fill(-100, 0, prompt), cut: true }
}

/** The tokens of the last answer, and those before it. */
export function lastAnswer({ ids, targets }: Conversation): { prompt: number[]; answer: number[] } {
  const end = targets.findLastIndex(isCounted) + 1
  const start = targets.slice(0, end).lastIndexOf(-100) + 1
  return { prompt: ids.slice(0, start + 1), answer: targets.slice(start, end) }
}
