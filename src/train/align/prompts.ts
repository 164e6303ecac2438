// Prompts to which a model samples answers.
import type { Row } from '../../data/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { invalidOption } from '../../util/errors.ts'
import { encodePrompt } from '../tasks/answering.ts'
import type { TooLong } from '../tasks/conversation.ts'

/** A prompt with its row. */
export interface Prompt {
  /** Token ids, up to the beginning of the answer; empty if it was too long and dropped. */
  ids: readonly number[]
  messages: readonly ChatMessage[]
  /** The columns of the row, which rewards read. */
  values: Readonly<Record<string, unknown>>
  /** File and number of the row, for errors. */
  place: string
  /** Whether the beginning was cut off. */
  cut: boolean
}

/** Number of tokens of a prompt. @throws HeedError if the answers leave none */
export function roomForPrompts(contextLength: number, maxNewTokens: number): number {
  const room = contextLength - maxNewTokens
  if (room > 0) return room
  throw invalidOption({
    key: 'maxNewTokens',
    value: maxNewTokens,
    expected: `below the context length (${contextLength})`,
    try: { maxNewTokens: [Math.max(1, contextLength >> 1)] },
  })
}

/** Encodes the prompt of a row with at most `room` tokens. */
export async function promptOf(
  row: Row,
  { tokenizer, room, tooLong }: { tokenizer: Tokenizer; room: number; tooLong: TooLong },
): Promise<Prompt> {
  const { ids, messages } = await encodePrompt(tokenizer, row)
  const { values, file, number } = row
  const cut = ids.length > room
  const kept = !cut ? ids : tooLong === 'cut' ? ids.slice(-room) : []
  return { ids: kept, messages, values, place: `row ${number} of ${file}`, cut }
}
