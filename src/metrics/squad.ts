import { argumentKinds } from '../util/argument-kinds.ts'

const checkExactMatch = argumentKinds('exactMatch', { answers: 'texts', predicted: 'text' })

/**
 * Exact match of SQuAD (Rajpurkar et al., 2016): 1 if the prediction equals one of the answers, otherwise 0. Case,
 * punctuation and English articles are ignored.
 */
export function exactMatch(answers: readonly string[], predicted: string): number {
  checkExactMatch(answers, predicted)
  return bestOf(answers, (answer) => (normalize(answer) === normalize(predicted) ? 1 : 0))
}

const checkSquadF1 = argumentKinds('squadF1', { answers: 'texts', predicted: 'text' })

/** Word-level F1 of SQuAD between a prediction and the most similar answer. */
export function squadF1(answers: readonly string[], predicted: string): number {
  checkSquadF1(answers, predicted)
  return bestOf(answers, (answer) => wordF1(words(answer), words(predicted)))
}

/** If a question has no answer, the empty string is correct. */
function bestOf(answers: readonly string[], score: (answer: string) => number): number {
  return Math.max(...(answers.length > 0 ? answers : ['']).map(score))
}

function wordF1(answer: string[], predicted: string[]): number {
  if (answer.length === 0 || predicted.length === 0)
    return answer.length === predicted.length ? 1 : 0
  const left = new Map<string, number>()
  for (const word of answer) left.set(word, (left.get(word) ?? 0) + 1)
  let common = 0
  for (const word of predicted) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    common++
  }
  return (2 * common) / (answer.length + predicted.length)
}

function normalize(text: string): string {
  return words(text).join(' ')
}

function words(text: string): string[] {
  const plain = text.toLowerCase().replace(/[!-/:-@[-`{-~]/g, '')
  return plain.replace(ARTICLES, ' ').split(/\s+/).filter(Boolean)
}

const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu
