import type { QuestionAnswerer } from '../models/index.ts'
import { cat } from '../tensor/index.ts'
import type { Encoding, Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { type BatchOptions, inBatches, valuesOf } from './batches.ts'
import type { Parts } from './pipeline.ts'
import { softmax } from './scores.ts'

export interface AnswerOptions extends BatchOptions {
  /** How many answers. Default 1. */
  topK?: number
  /** Tokens of an answer at most. Default 15. */
  maxAnswerTokens?: number
}

export interface Answer {
  answer: string
  score: number
  /** `context.slice(start, end)`. */
  start: number
  end: number
}

/**
 * Where a text answers a question. A text that is longer than the model sees is read in windows that
 * overlap; the best answers of all of them are given. With `topK`, a list.
 */
export interface QuestionAnswering {
  (question: string, context: string, options?: AnswerOptions & { topK?: 1 }): Promise<Answer>
  (question: string, context: string, options: AnswerOptions): Promise<Answer[]>
}

export function questionAnswering(parts: Parts<QuestionAnswerer>): QuestionAnswering {
  const answer = async (question: string, context: string, options: AnswerOptions = {}) => {
    const answers = await answersOf(parts, question, context, options)
    return (options.topK ?? 1) === 1 ? answers[0] : answers
  }
  return answer as QuestionAnswering
}

/** A part of the context with the question before it. */
interface Window {
  encoding: Encoding
  /** Of the window, in the context. */
  offset: number
}

async function answersOf(
  parts: Parts<QuestionAnswerer>,
  question: string,
  context: string,
  options: AnswerOptions,
): Promise<Answer[]> {
  const { topK = 1, maxAnswerTokens = 15 } = options
  const windows = answerWindows(parts, question, context)
  const found = await inBatches(
    windows.map(({ encoding }) => encoding),
    parts,
    options,
    ({ ids, options }) =>
      valuesOf(() => {
        const { start, end } = parts.model.forward(ids, options)
        return cat([start, end])
      }),
    (logits, row, encoding, { tokens, rows }) => {
      const at = (half: number): Float32Array =>
        logits.subarray(
          (half * rows.length + row) * tokens,
          (half * rows.length + row + 1) * tokens,
        )
      const { offset } = windows[rows[row]]
      return spansOf(at(0), at(1), encoding, maxAnswerTokens).map((span): Answer => {
        const [start, end] = charactersOf(encoding, span).map((i) => i + offset)
        return { answer: context.slice(start, end), score: span.score, start, end }
      })
    },
  )
  const best = new Map<string, Answer>()
  for (const one of found.flat().sort((a, b) => b.score - a.score)) {
    const place = `${one.start} ${one.end}` // parts of a word stand for all of it; windows overlap
    if (!best.has(place)) best.set(place, one)
  }
  return [...best.values()].slice(0, topK)
}

/** The whole context if it fits; else cuts of it at words, each half as far on as it is long. */
export function answerWindows(
  { model, tokenizer }: { model: { contextLength: number }; tokenizer: Tokenizer },
  question: string,
  context: string,
): Window[] {
  if (question.trim() === '' || context.trim() === '')
    throw new HeedError('invalid-option', 'A question and a text to find the answer in are needed')
  const whole = tokenizer.encodeWithOffsets(question, { pair: context })
  if (whole.ids.length <= model.contextLength) return [{ encoding: whole, offset: 0 }]
  const alone = tokenizer.encodeWithOffsets(context, { addSpecialTokens: false })
  const room = model.contextLength - (whole.ids.length - alone.ids.length)
  if (room < 16)
    throw new HeedError(
      'invalid-option',
      `The question leaves no room: the model sees ${model.contextLength} tokens`,
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

function wordStart({ wordIds }: Encoding, index: number): number {
  while (index > 0 && wordIds[index] !== null && wordIds[index] === wordIds[index - 1]) index--
  return index
}

interface TokenSpan {
  start: number
  end: number
  score: number
}

/** All spans of the context; the score is the product of the probabilities of start and end. */
function spansOf(
  startLogits: Float32Array,
  endLogits: Float32Array,
  { ids, sequenceIds }: Encoding,
  longest: number,
): TokenSpan[] {
  // The first token, [CLS], takes its share as "no answer", and is not an answer itself.
  const allowed = (i: number): boolean => i === 0 || sequenceIds[i] === 1
  const probabilities = (logits: Float32Array): Float64Array =>
    softmax(ids.map((_, i) => (allowed(i) ? logits[i] : Number.NEGATIVE_INFINITY)))
  const [starts, ends] = [probabilities(startLogits), probabilities(endLogits)]
  const spans: TokenSpan[] = []
  for (let start = 1; start < ids.length; start++)
    for (let end = start; end < Math.min(ids.length, start + longest); end++) {
      const score = starts[start] * ends[end]
      if (score > 0) spans.push({ start, end, score })
    }
  return spans
}

/** From the first character of the first word to the last of the last. */
function charactersOf({ offsets, wordIds, sequenceIds }: Encoding, span: TokenSpan): number[] {
  const sameWord = (a: number, b: number): boolean =>
    sequenceIds[a] === sequenceIds[b] && wordIds[a] !== null && wordIds[a] === wordIds[b]
  let { start, end } = span
  while (start > 0 && sameWord(start, start - 1)) start--
  while (end + 1 < wordIds.length && sameWord(end, end + 1)) end++
  return [offsets[start][0], offsets[end][1]]
}
