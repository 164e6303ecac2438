import type { QuestionAnswerer } from '../models/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { checkArguments } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionReader } from './option-names.ts'
import type { ModelWithTokenizer } from './pipeline.ts'
import { runExamples } from './run-examples.ts'
import { softmax } from './scores.ts'
import {
  BATCHES,
  type BatchOptions,
  encoderInputs,
  exampleOf,
  textBatching,
} from './text-examples.ts'

/** Options of the pipeline 'question-answering'. */
export interface AnswerOptions extends BatchOptions {
  /** Number of answers. Default 1. */
  topK?: number
  /** Maximum number of tokens in an answer. Default 15. */
  maxAnswerTokens?: number
}

const readOptions = optionReader<AnswerOptions>('question-answering', {
  ...BATCHES,
  topK: 'size?',
  maxAnswerTokens: 'size?',
})

/** An answer: the span `context.slice(start, end)`. */
export interface Answer {
  /** The words of the text. */
  answer: string
  /** Product of the probabilities of its first and last token. */
  score: number
  /** Index of the first character of the answer in the text. */
  start: number
  /** Index behind the last character. */
  end: number
}

/**
 * Finds the span of a text that answers a question. A text longer than the context length of the model is read in
 * overlapping windows, and the best answers of all windows are returned. With `topK` above 1, returns a list.
 */
export interface QuestionAnswering {
  (question: string, context: string, options?: AnswerOptions & { topK?: 1 }): Promise<Answer>
  (question: string, context: string, options: AnswerOptions): Promise<Answer[]>
}

/** Creates the pipeline 'question-answering'. */
export function questionAnswering(source: ModelWithTokenizer<QuestionAnswerer>): QuestionAnswering {
  const answer = async (question: string, context: string, given?: AnswerOptions) => {
    checkArguments('question-answering', { question, context }, 'text')
    const options = readOptions(given)
    const answers = await answersOf(source, question, context, options)
    return (options.topK ?? 1) === 1 ? answers[0] : answers
  }
  return answer as QuestionAnswering
}

/** The question with a part of the context. */
interface Window {
  encoding: Encoding
  /** Index of the first character of the window in the context. */
  offset: number
}

async function answersOf(
  { model, tokenizer }: ModelWithTokenizer<QuestionAnswerer>,
  question: string,
  context: string,
  { topK = 1, maxAnswerTokens = 15, batchSize = 16 }: AnswerOptions,
): Promise<Answer[]> {
  const windows = answerWindows({ model, tokenizer }, question, context)
  const examples = windows.map((window) => ({
    ...exampleOf(window.encoding, tokenizer),
    ...window,
  }))
  const answers = await runExamples(examples, {
    batching: textBatching(tokenizer),
    model,
    batchSize,
    forward: (batch) => {
      const { start, end } = model.forward(batch.input_ids, encoderInputs(batch))
      return [start, end]
    },
    read: (logits, row, { encoding, offset }, length) => {
      const [starts, ends] = logits.map((all) => all.subarray(row * length, (row + 1) * length))
      return spansOf(starts, ends, encoding, maxAnswerTokens).map((span): Answer => {
        const [start, end] = charactersOf(encoding, span).map((i) => i + offset)
        return { answer: context.slice(start, end), score: span.score, start, end }
      })
    },
  })
  const best = new Map<string, Answer>()
  for (const answer of answers.flat().sort((a, b) => b.score - a.score)) {
    const place = `${answer.start} ${answer.end}` // parts of a word are extended to the word, and windows overlap
    if (!best.has(place)) best.set(place, answer)
  }
  return [...best.values()].slice(0, topK)
}

/**
 * Splits the context into windows: one if it fits, otherwise windows that begin at words and overlap by half.
 * @throws HeedError for an empty question or context, and for a question that is too long
 */
export function answerWindows(
  { model, tokenizer }: { model: { contextLength: number }; tokenizer: Tokenizer },
  question: string,
  context: string,
): Window[] {
  if (question.trim() === '' || context.trim() === '')
    throw new HeedError(
      'invalid-data',
      `The question and the context must not be empty, got an empty ${question.trim() === '' ? 'question' : 'context'}`,
    )
  const full = tokenizer.encodeWithOffsets(question, { pair: context })
  if (full.ids.length <= model.contextLength) return [{ encoding: full, offset: 0 }]
  const alone = tokenizer.encodeWithOffsets(context, { addSpecialTokens: false })
  const room = model.contextLength - (full.ids.length - alone.ids.length)
  if (room < LEAST_ROOM)
    throw new HeedError(
      'invalid-data',
      `The question must leave room for ${LEAST_ROOM} tokens of the context, got room for ${Math.max(0, room)}`,
      { remedy: `Shorten the question; the model reads ${model.contextLength} tokens.` },
    )
  const windows: Window[] = []
  for (let from = 0; ; from += room >> 1) {
    const first = wordStart(alone, from)
    const offset = alone.offsets[first][0]
    const text = context.slice(offset)
    const encoding = tokenizer.encodeWithOffsets(question, {
      pair: text,
      maxLength: model.contextLength,
      truncation: 'only_second',
      truncationSide: 'right',
    })
    windows.push({ encoding, offset })
    if (from + room >= alone.ids.length) return windows
  }
}

/** Minimum number of context tokens in a window; fewer would hardly contain an answer. */
const LEAST_ROOM = 16

function wordStart({ wordIds }: Encoding, index: number): number {
  while (index > 0 && wordIds[index] !== null && wordIds[index] === wordIds[index - 1]) index--
  return index
}

interface TokenSpan {
  start: number
  end: number
  score: number
}

/** Scores all spans of the context. The score is the product of the probabilities of start and end. */
function spansOf(
  startLogits: ArrayLike<number>,
  endLogits: ArrayLike<number>,
  { ids, sequenceIds }: Encoding,
  maxTokens: number,
): TokenSpan[] {
  // The first token, [CLS], means "no answer": it is included in the softmax, but is not returned.
  const allowed = (i: number): boolean => i === 0 || sequenceIds[i] === 1
  const probabilities = (logits: ArrayLike<number>): Float64Array =>
    softmax(ids.map((_, i) => (allowed(i) ? logits[i] : Number.NEGATIVE_INFINITY)))
  const [starts, ends] = [probabilities(startLogits), probabilities(endLogits)]
  const spans: TokenSpan[] = []
  for (let start = 1; start < ids.length; start++)
    for (let end = start; end < Math.min(ids.length, start + maxTokens); end++) {
      const score = starts[start] * ends[end]
      if (score > 0) spans.push({ start, end, score })
    }
  return spans
}

/** The first and last character of a span, extended to whole words. */
function charactersOf({ offsets, wordIds, sequenceIds }: Encoding, span: TokenSpan): number[] {
  const sameWord = (a: number, b: number): boolean =>
    sequenceIds[a] === sequenceIds[b] && wordIds[a] !== null && wordIds[a] === wordIds[b]
  let { start, end } = span
  while (start > 0 && sameWord(start, start - 1)) start--
  while (end + 1 < wordIds.length && sameWord(end, end + 1)) end++
  return [offsets[start][0], offsets[end][1]]
}
