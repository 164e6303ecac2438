/**
 * Whether an answer is one of those that are right, up to case, punctuation and English articles, as
 * SQuAD counts (Rajpurkar et al., 2016). 1 or 0.
 */
export function exactMatch(answers: readonly string[], predicted: string): number {
  return bestOf(answers, (answer) => (normalize(answer) === normalize(predicted) ? 1 : 0))
}

/** The share of words that an answer has in common with the right one that it is most like (F1). */
export function squadF1(answers: readonly string[], predicted: string): number {
  return bestOf(answers, (answer) => wordF1(words(answer), words(predicted)))
}

/** Where a question has no answer, the right one is the empty text. */
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
