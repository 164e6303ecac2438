import type { TextTokenizer } from '../../generate/index.ts'
import { type MeanInterval, meanInterval } from '../../metrics/index.ts'
import { checkHead } from '../../models/check-head.ts'
import type { CausalLM } from '../../models/index.ts'
import { argumentKinds } from '../../util/argument-kinds.ts'
import { HeedError, invalidOption, shown } from '../../util/errors.ts'
import { optionKinds, ruleOf } from '../../util/options.ts'
import { checkSeed } from '../../util/random.ts'
import { type Answerer, answererOf } from './answers.ts'
import { contextOf, type Draw, drawsOf, isSameAnswer, type Layout, layoutOf, permuted, type Shot } from './shots.ts' // biome-ignore format: one line

/** Options of `fewShot`. */
export interface FewShotOptions {
  /** Numbers of examples in the prompt. Default 0, 1 and 5. */
  shots?: readonly number[]
  /** Number of random draws of examples and their order; 0: the first examples, in their order. Default 5. */
  draws?: number
  /** The examples. Default: the examples of each draw are taken from the questions, and the others are asked. */
  examples?: readonly Shot[]
  /** Text before the examples. */
  instruction?: string
  /** Possible answers: the model answers with the most probable. Default: it writes its answer. */
  choices?: readonly string[]
  /** Seed of the draws. Default 0. */
  seed?: number
  /** Number of texts in a batch. Default 16. */
  batchSize?: number
  /** Called after each set of questions. */
  onProgress?: (done: number, total: number) => void
}

/** Accuracy over the draws. */
export interface DrawnAccuracy extends MeanInterval {
  /** The accuracy of each draw. */
  draws: number[]
}

/** Accuracy with a number of examples. */
export interface ShotAccuracy {
  /** Number of examples in the prompt. */
  shots: number
  /** Number of questions in each draw. */
  questions: number
  /** Accuracy with the examples. */
  accuracy: DrawnAccuracy
  /** Accuracy when each example has the answer of another; null without examples, and with a single one to draw from. */
  permuted: DrawnAccuracy | null
}

/** A question with the answer of the model. */
export interface AskedShot extends Shot {
  /** The answer of the model. */
  predicted: string
  /** Whether it is the same, apart from case, white space and punctuation at the end. */
  right: boolean
}

/** The result of `fewShot`. */
export interface FewShotResult {
  /** Accuracies, in the order of `shots`. */
  results: ShotAccuracy[]
  /** The questions of the first draw with the most examples. */
  asked: AskedShot[]
}

const checkFewShot = argumentKinds('fewShot', {
  model: 'model',
  tokenizer: 'tokenizer',
  questions: 'objects',
  options: optionKinds<FewShotOptions>({
    shots: 'numbers?',
    draws: { ...ruleOf('count?'), try: [5] },
    examples: 'objects?',
    instruction: 'text?',
    choices: 'texts?',
    seed: 'number?',
    batchSize: { ...ruleOf('size?'), try: [16] },
    onProgress: 'function?',
  }),
})

/**
 * Evaluates a decoder-only model on questions after a few examples in the prompt (in-context learning; Brown et al.,
 * 2020, section 3). Which examples are shown, and in which order, changes the accuracy (Zhao et al., 2021), so it is
 * measured over several draws. With permuted answers (Min et al., 2022), it shows what the model takes from the form of
 * the examples alone. The examples before the questions of a batch are processed once.
 * @throws HeedError for too few examples, for prompts longer than the context, and for answers that are not in `choices`
 */
export async function fewShot(
  model: CausalLM,
  tokenizer: TextTokenizer,
  questions: readonly Shot[],
  options: FewShotOptions = {},
): Promise<FewShotResult> {
  checkFewShot(model, tokenizer, questions, options)
  checkHead('fewShot', model, 'causal-lm')
  const { shots = [0, 1, 5], draws: count = 5, examples, instruction = '', seed = 0, batchSize = 16 } = options // biome-ignore format: one line
  checkSeed(seed)
  checkShots(questions, options, shots)
  const all = [...questions, ...(examples ?? [])]
  const layout = layoutOf(all, instruction)
  const { choices, onProgress } = options
  const answerer = answererOf(model, {
    tokenizer,
    batchSize,
    choices,
    stop: layout.stop,
    shots: all,
  })
  const draws = drawsOf(questions, examples, { most: Math.max(...shots), count, seed })
  // Without examples, all draws are the same.
  const alone = { pool: [], asked: count === 0 ? draws[0].asked : questions }
  const total = shots.reduce((sum, k) => sum + (k === 0 ? 1 : draws.length * (draws[0].pool.length > 1 ? 2 : 1)), 0) // biome-ignore format: one line
  let done = 0
  const measured = new Map<number, ShotAccuracy>()
  let asked: AskedShot[] = []
  // The longest prompts first, so that a prompt that is too long is reported before any answer.
  for (const k of new Set(shots.toSorted((a, b) => b - a))) {
    const measure = new Measure(k, answerer, layout, () => onProgress?.(++done, total))
    measured.set(k, await measure.over(k === 0 ? [alone] : draws))
    if (measured.size === 1) asked = measure.first
  }
  return { results: shots.flatMap((k) => measured.get(k) ?? []), asked }
}

/** Measures the accuracy with a number of examples. */
class Measure {
  /** The answers of the first draw. */
  first: AskedShot[] = []
  readonly #shots: number
  readonly #answerer: Answerer
  readonly #layout: Layout
  readonly #onDone: () => void

  constructor(shots: number, answerer: Answerer, layout: Layout, onDone: () => void) {
    this.#shots = shots
    this.#answerer = answerer
    this.#layout = layout
    this.#onDone = onDone
  }

  async over(draws: readonly Draw[]): Promise<ShotAccuracy> {
    const right: number[] = []
    const withPermuted: number[] = []
    for (const { pool, asked } of draws) {
      const answers = await this.#ask(pool, asked)
      if (right.length === 0) this.first = answers
      right.push(shareRight(answers))
      if (pool.length > 1) withPermuted.push(shareRight(await this.#ask(permuted(pool), asked)))
    }
    return {
      shots: this.#shots,
      questions: draws[0].asked.length,
      accuracy: { ...meanInterval(right), draws: right },
      permuted: withPermuted.length > 0 ? { ...meanInterval(withPermuted), draws: withPermuted } : null, // biome-ignore format: one line
    }
  }

  async #ask(pool: readonly Shot[], asked: readonly Shot[]): Promise<AskedShot[]> {
    const context = contextOf(pool.slice(0, this.#shots), this.#layout)
    const answers = await this.#answerer.answer(context, asked, this.#shots)
    this.#onDone()
    return asked.map(({ prompt, answer }, i) => {
      const predicted = answers[i].trim()
      return { prompt, answer, predicted, right: isSameAnswer(predicted, answer) }
    })
  }
}

const shareRight = (answers: readonly AskedShot[]): number =>
  answers.filter(({ right }) => right).length / answers.length

function checkShots(
  questions: readonly Shot[],
  { examples, choices }: FewShotOptions,
  shots: readonly number[],
): void {
  for (const [name, list] of Object.entries({ questions, examples: examples ?? [] }))
    for (const [i, shot] of list.entries()) checkShot(`${name}[${i}]`, shot, choices)
  const most = examples ? examples.length : questions.length - 1
  if (questions.length === 0)
    throw invalidOption({ owner: 'fewShot', key: 'questions', value: [], expected: 'a list of one or more questions', remedy: 'Pass at least one question.' }) // biome-ignore format: one line
  const wrong = shots.length === 0 ? shots : shots.find((k) => !Number.isInteger(k) || k < 0)
  if (wrong !== undefined)
    throw invalidOption({ key: 'shots', value: wrong, expected: 'whole numbers >= 0', try: { shots: [0] } }) // biome-ignore format: one line
  const tooMany = shots.find((k) => k > most)
  if (tooMany !== undefined)
    throw invalidOption({
      key: 'shots',
      value: tooMany,
      expected: `at most ${most}, the number of examples${examples ? '' : ' next to a question'}`,
      try: { shots: [most] },
    })
  if (choices && new Set(choices).size < 2)
    throw invalidOption({ key: 'choices', value: choices, expected: 'two or more different answers', remedy: 'Omit it to let the model write its answers.' }) // biome-ignore format: one line
}

function checkShot(place: string, shot: unknown, choices: readonly string[] | undefined): void {
  const { prompt, answer } = Object(shot)
  for (const [key, text] of Object.entries({ prompt, answer }))
    if (typeof text !== 'string' || text.trim() === '')
      throw new HeedError('invalid-data', `\`${place}.${key}\` must be text, got ${shown(text)}`, { key, value: text, remedy: 'Fill it in, or remove the question.' }) // biome-ignore format: one line
  if (/\n\s*\n/.test(answer.trim()))
    throw new HeedError('invalid-data', `\`${place}.answer\` must not have an empty line, which ends an answer`, { key: 'answer', value: answer, remedy: 'Shorten the answer.' }) // biome-ignore format: one line
  if (choices && !choices.includes(answer))
    throw new HeedError('invalid-data', `\`${place}.answer\` must be one of the choices, got ${shown(answer)}`, { key: 'answer', value: answer, remedy: 'Add it to `choices`.' }) // biome-ignore format: one line
}
