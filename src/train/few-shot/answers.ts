// The answers of a model to questions that follow the same context.

import { endsOf } from '../../generate/ends.ts'
import { writeTexts } from '../../generate/generate.ts'
import { inBatches } from '../../generate/in-batches.ts'
import {
  BatchDecoder,
  generationConfigOf,
  logProbabilities,
  type TextTokenizer,
} from '../../generate/index.ts'
import { rowOf } from '../../generate/step-model.ts'
import { promptTokens } from '../../generate/text-writer.ts'
import type { CausalLM } from '../../models/index.ts'
import { HeedError } from '../../util/errors.ts'
import { completed, promptText, type Shot } from './shots.ts'

/** Answers questions after a context, by greedy decoding or by choosing the most probable of some answers. */
export interface Answerer {
  /** @throws HeedError if a question with its context is longer than the context of the model */
  answer(context: string, questions: readonly Shot[], shots: number): Promise<string[]>
}

export interface AnswererOptions {
  tokenizer: TextTokenizer
  /** Number of texts in a batch. */
  batchSize: number
  /** The answers to choose from; undefined to write answers. */
  choices?: readonly string[]
  /** What ends a written answer. */
  stop: string
  /** Questions and examples, whose longest answer limits the length of written ones. */
  shots: readonly Shot[]
}

export function answererOf(model: CausalLM, options: AnswererOptions): Answerer {
  return options.choices ? chooser(model, options, options.choices) : writer(model, options)
}

function writer(model: CausalLM, options: AnswererOptions): Answerer {
  const { tokenizer, batchSize, stop, shots } = options
  const longest = shots.reduce((most, { answer }) => Math.max(most, tokenizer.encode(answer).length), 0) // biome-ignore format: one line
  const maxTokens = longest + AFTER_ANSWER
  const decoder = new BatchDecoder(model, { maxTokens, sharePrefix: true })
  const { tokens: stopTokens } = endsOf(generationConfigOf(model), tokenizer, {})
  const settings = { write: { temperature: 0, maxTokens, stopTokens }, stop: [stop] }
  return {
    async answer(context, questions, shots) {
      const prompts = questions.map(({ prompt }) => promptTokens(tokenizer, context + promptText(prompt))) // biome-ignore format: one line
      checkRoom(model, prompts.map((prompt) => prompt.length + maxTokens), shots) // biome-ignore format: one line
      return inBatches(prompts, batchSize, (batch) => writeTexts(decoder, tokenizer, batch, settings)) // biome-ignore format: one line
    },
  }
}

/** Number of tokens that may follow the longest answer: white space and punctuation. */
const AFTER_ANSWER = 4

/** A prompt with one of the answers, as tokens. */
interface Choice {
  prompt: readonly number[]
  answer: readonly number[]
}

function chooser(
  model: CausalLM,
  { tokenizer, batchSize }: AnswererOptions,
  choices: readonly string[],
): Answerer {
  const maxTokens = Math.max(...choices.map((choice) => tokenizer.encode(choice).length)) + 1
  const decoder = new BatchDecoder(model, { maxTokens, sharePrefix: true })
  return {
    async answer(context, questions, shots) {
      const rows = questions.flatMap(
        ({ prompt }) =>
        choices.map((choice) => choiceOf(tokenizer, context + promptText(prompt), completed(context + prompt, choice))), // biome-ignore format: one line
      )
      checkRoom(model, rows.map(({ prompt }) => prompt.length + maxTokens), shots) // biome-ignore format: one line
      const scores = await inBatches(rows, batchSize, (batch) => scoresOf(decoder, batch))
      return questions.map((_, i) => {
        const own = scores.slice(i * choices.length, (i + 1) * choices.length)
        return choices[own.indexOf(Math.max(...own))]
      })
    },
  }
}

/** Splits a text where it differs from its prompt, whose last token may be another with the answer behind it. */
function choiceOf(tokenizer: TextTokenizer, prompt: string, text: string): Choice {
  const [ids, all] = [promptTokens(tokenizer, prompt), tokenizer.encode(text)]
  const differs = all.findIndex((id, i) => id !== ids[i])
  const at = Math.max(1, Math.min(differs < 0 ? all.length - 1 : differs, all.length - 1))
  return { prompt: all.slice(0, at), answer: all.slice(at) }
}

/** The log-probability of each answer after its prompt. */
async function scoresOf(decoder: BatchDecoder, rows: readonly Choice[]): Promise<number[]> {
  const longest = Math.max(...rows.map(({ answer }) => answer.length))
  const scores = rows.map(() => 0)
  let logits = await decoder.start(rows.map(({ prompt }) => prompt))
  for (let i = 0; i < longest; i++) {
    for (const [row, { answer }] of rows.entries())
      if (i < answer.length)
        scores[row] += logProbabilities(rowOf(logits, row, rows.length), answer[i]).logprob
    if (i + 1 < longest) logits = await decoder.next(rows.map(({ answer }) => answer[i] ?? 0))
  }
  return scores
}

function checkRoom(model: CausalLM, lengths: readonly number[], shots: number): void {
  const longest = Math.max(...lengths)
  if (longest <= model.contextLength) return
  const question = lengths.indexOf(longest) + 1
  throw new HeedError(
    'invalid-option',
    `A prompt must have at most ${model.contextLength} tokens with its answer, got ${longest} for question ${question} with ${shots} example${shots === 1 ? '' : 's'}`,
    {
      key: 'shots',
      value: shots,
      remedy: shots > 0 ? 'Use fewer or shorter examples.' : 'Shorten or remove the question.',
    },
  )
}
