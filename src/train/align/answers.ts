// Answers to prompts as tokens, and their log-probabilities.
import type { Batch } from '../../data/index.ts'
import type { CausalLM } from '../../models/index.ts'
import { padded } from '../../pipelines/text-examples.ts'
import { F, type Tensor } from '../../tensor/index.ts'
import type { ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { type Conversation, encodeConversation, isCounted } from '../tasks/conversation.ts'

/** Encodes an answer to a prompt. Only the tokens of the answer are counted, not those of earlier ones in the prompt. */
export async function encodeAnswer(
  tokenizer: Tokenizer,
  prompt: readonly ChatMessage[],
  answer: readonly ChatMessage[],
  tools?: unknown[],
): Promise<Conversation> {
  const whole = await encodeConversation(tokenizer, [...prompt, ...answer], tools)
  if (!prompt.some(({ role }) => role === 'assistant')) return whole
  const text = await tokenizer.applyChatTemplate(prompt, { addGenerationPrompt: true, tools })
  const { length } = tokenizer.encode(text, { addSpecialTokens: false })
  return { ...whole, targets: whole.targets.map((id, i) => (i < length - 1 ? -100 : id)) }
}

/** The number of counted tokens. */
export const countIn = ({ targets }: Conversation): number => targets.filter(isCounted).length

/** Arrays with a row for each answer, padded to `length`: inputs and targets i32 (N, length). */
export const answerArrays = (
  answers: readonly Conversation[],
  length: number,
  pad: number,
): Batch => ({
  inputs: padded(answers.map(({ ids }) => ids), length, pad),
  targets: padded(answers.map(({ targets }) => targets), length, -100),
}) // biome-ignore format: one line each

/**
 * The log-probability of the counted tokens of each row.
 * @param inputs i32 (N, T)
 * @param targets i32 (N, T), -100 where a token is not counted
 * @returns f32 (N)
 */
export function logProbabilitiesOf(model: CausalLM, inputs: Tensor, targets: Tensor): Tensor {
  const losses = F.crossEntropy(model.forward(inputs), targets, { reduction: 'none' })
  return losses.sum(-1).mul(-1)
}
