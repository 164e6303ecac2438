// Answers to conversations, for prediction and reports.
import type { Row } from '../../data/index.ts'
import { continueBatch, generationConfigOf } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import type { ShownExample } from '../task.ts'
import { conversationOf, toolsOf } from './chat-rows.ts'
import { type Conversation, lastAnswer } from './conversation.ts'

/** Answers the conversations of rows. An answer at the end of a row is not read. */
export async function answerRows(
  model: CausalLM,
  tokenizer: Tokenizer,
  rows: readonly Row[],
): Promise<Record<string, unknown>[]> {
  const prompts = await Promise.all(
    rows.map(async (row) => (await encodePrompt(tokenizer, row)).ids),
  )
  const answers = await writeAnswers(model, tokenizer, prompts)
  return answers.map((answer) => ({ answer }))
}

/** Encodes the conversation of a row up to the answer. An answer at its end is not read. */
export async function encodePrompt(
  tokenizer: Tokenizer,
  row: Row,
): Promise<{ ids: number[]; messages: ChatMessage[] }> {
  const all = conversationOf(row, { complete: false })
  const messages = all.slice(0, 1 + all.findLastIndex(({ role }) => role !== 'assistant'))
  const tools = toolsOf(row)
  const text = await tokenizer.applyChatTemplate(messages, { addGenerationPrompt: true, tools })
  return { ids: tokenizer.encode(text, { addSpecialTokens: false }), messages }
}

/** Writes the last answer of each conversation again, for reports. */
export async function answerAgain(
  model: CausalLM,
  tokenizer: Tokenizer,
  conversations: readonly Conversation[],
): Promise<ShownExample[]> {
  const parts = conversations.map(lastAnswer)
  const prompts = parts.map(({ prompt }) => prompt)
  const written = await writeAnswers(model, tokenizer, prompts)
  return parts.map(({ prompt, answer }, i) => ({
    input: answerText(tokenizer, prompt),
    expected: answerText(tokenizer, answer),
    predicted: written[i],
    right: null,
  }))
}

/** The text of a prompt or an answer, without special tokens. */
export const answerText = (tokenizer: Tokenizer, ids: readonly number[]): string =>
  tokenizer.decode(ids, { skipSpecialTokens: true }).trim()

/** Answers prompts by greedy decoding. Only the end of a long prompt is read. */
export async function writeAnswers(
  model: CausalLM,
  tokenizer: Tokenizer,
  prompts: readonly (readonly number[])[],
  limit = generationConfigOf(model).max_new_tokens ?? MAX_TOKENS,
): Promise<string[]> {
  const maxTokens = Math.min(limit, model.contextLength >> 1)
  const ends = prompts.map((ids) => ids.slice(-(model.contextLength - maxTokens)))
  const stopTokens = [(await tokenizer.endOfTurn()) ?? []].flat()
  model.eval()
  return continueBatch(model, tokenizer, ends, { maxTokens, temperature: 0, stopTokens })
}

/** Maximum number of tokens in an answer, unless generation_config.json has a limit. */
const MAX_TOKENS = 128
