// Questions with answers, how they are written in a prompt, and which of them are the examples of a draw.
import { shuffledIndices } from '../../util/random.ts'

/** A question with its answer. */
export interface Shot {
  /** Text up to the answer, such as "France ->". Spaces at its end are ignored. */
  prompt: string
  /** The answer. It follows the prompt after a space, or directly if the prompt ends with a line break. */
  answer: string
}

/** The examples of a draw, in order, and the questions that are asked. */
export interface Draw {
  pool: readonly Shot[]
  asked: readonly Shot[]
}

/** What divides examples and their answers from what follows. */
export interface Layout {
  instruction: string
  /** Between two examples: a line break, or an empty line if a prompt or an answer has several lines. */
  separator: string
  /** What ends a written answer. */
  stop: string
}

export function layoutOf(shots: readonly Shot[], instruction: string): Layout {
  const isLong = (text: string): boolean => text.trim().includes('\n')
  const hasLongAnswer = shots.some(({ answer }) => isLong(answer))
  const hasLong = hasLongAnswer || shots.some(({ prompt, answer }) => isLong(`${prompt}${answer}`))
  return { instruction, separator: hasLong ? '\n\n' : '\n', stop: hasLongAnswer ? '\n\n' : '\n' }
}

/**
 * The draws of an evaluation: random ones, or for `count` 0 the first examples in their order. Without separate examples,
 * `most` of the questions are the examples of each draw, and the others are asked.
 */
export function drawsOf(
  questions: readonly Shot[],
  examples: readonly Shot[] | undefined,
  { most, count, seed }: { most: number; count: number; seed: number },
): Draw[] {
  const all = examples ?? questions
  const orders =
    count === 0
      ? [all.map((_, i) => i)]
      : Array.from({ length: count }, (_, draw) => [...shuffledIndices(all.length, seed, draw)])
  return orders.map((order) => {
    if (examples) return { pool: order.map((i) => examples[i]), asked: questions }
    const isExample = new Set(order.slice(0, most))
    return {
      pool: order.slice(0, most).map((i) => questions[i]),
      asked: questions.filter((_, i) => !isExample.has(i)),
    }
  })
}

/** Examples whose prompts stay, and whose answers are those of the next example. */
export const permuted = (pool: readonly Shot[]): Shot[] =>
  pool.map(({ prompt }, i) => ({ prompt, answer: pool[(i + 1) % pool.length].answer }))

/** The beginning that all questions share: the instruction and the examples. */
export function contextOf(examples: readonly Shot[], { instruction, separator }: Layout): string {
  const parts = [instruction, ...examples.map(({ prompt, answer }) => completed(prompt, answer))]
  return parts.filter((part) => part !== '').map((part) => part + separator).join('') // biome-ignore format: one line
}

/** A prompt with an answer. */
export function completed(prompt: string, answer: string): string {
  const start = promptText(prompt)
  return `${start}${start.endsWith('\n') ? '' : ' '}${answer.trim()}`
}

/** A prompt up to the answer. Tokenizers join a space with the word after it, so it belongs to the answer. */
export const promptText = (prompt: string): string => prompt.replace(/ +$/, '')

/** Whether two answers are the same apart from case, white space and punctuation at the end. */
export const isSameAnswer = (a: string, b: string): boolean => plain(a) === plain(b)

const plain = (text: string): string =>
  text.toLowerCase().replace(/\s+/g, ' ').trim().replace(/[\s.,;:!?]+$/, '') // biome-ignore format: one line
