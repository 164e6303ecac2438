import type { TypedArray } from '../graph/dtype.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { logSumExp } from './log-probabilities.ts'
import {
  checkWhole,
  isComplete,
  type LogitsProcessor,
  processed,
  type Text,
} from './processors/processor.ts'
import { notANumber } from './sampling.ts'
import { rowOf, type StepModel } from './step-model.ts'
import type { WriteContext } from './write-tokens.ts'

// W number of beams, V vocabulary

/** Options of `beamSearch`. */
export interface BeamOptions {
  /** Number of beams: texts that are continued in parallel. */
  beams: number
  /** Scores are sums of log-probabilities divided by length^lengthPenalty. Above 0 favours long texts. Default 1. */
  lengthPenalty?: number
  /**
   * When the search ends. true: when the number of complete texts is `beams`; false: when the best open text is not
   * better than the worst complete text; 'never': when no open text can become better. Default false.
   */
  earlyStopping?: boolean | 'never'
  /** Number of texts to return for each prompt, at most `beams`. Default 1. */
  best?: number
  /** Maximum number of new tokens. Default 100. */
  maxTokens?: number
  /** Tokens that end a text; they are included in the result. */
  stopTokens?: readonly number[]
  /** Logits processors, which are applied to log-probabilities. */
  processors?: readonly LogitsProcessor[]
  /** Aborting it throws its reason. */
  signal?: AbortSignal
}

const checkCall = argumentKinds('beamSearch', {
  model: 'stepModel',
  prompts: 'numberLists',
  options: optionKinds<BeamOptions>({
    beams: 'number',
    lengthPenalty: 'number?',
    earlyStopping: 'any?',
    best: 'number?',
    maxTokens: 'number?',
    stopTokens: 'numbers?',
    processors: 'list?',
    signal: 'object?',
  }),
})

/** A text that beam search has found. */
export interface Hypothesis {
  /** The generated tokens, including the stop token if one ended the text. */
  tokens: number[]
  /** The sum of log-probabilities divided by length^lengthPenalty. */
  score: number
}

/**
 * Searches for the most probable continuations of each prompt, and returns them sorted by score, best first, like
 * `generate(num_beams=…)` of transformers. The step model runs prompts × beams rows. Scores are divided by a power of
 * the length (compare Wu et al., 2016, section 7).
 * @throws HeedError for options out of range, and for NaN scores
 */
export async function beamSearch(
  model: StepModel,
  prompts: readonly (readonly number[])[],
  options: BeamOptions,
  { sources }: Pick<WriteContext, 'sources'> = {},
): Promise<Hypothesis[][]> {
  checkCall(model, prompts, options)
  const settings = withDefaults(options)
  const { beams, maxTokens, signal } = settings
  const searches = prompts.map((prompt, i) => new Search(prompt, settings, sources?.[i]))
  const rows = searches.length * beams
  let logits = await model.start(prompts.flatMap((prompt) => Array(beams).fill(prompt)))
  for (let made = 1; ; made++) {
    signal?.throwIfAborted()
    for (const [i, search] of searches.entries())
      if (!search.done) search.advance((beam) => rowOf(logits, i * beams + beam, rows))
    if (made === maxTokens || searches.every((search) => search.done)) break
    const next = searches.flatMap((search) => search.open.map((beam) => beam.token))
    const order = searches.flatMap((search, i) => search.open.map((beam) => i * beams + beam.from))
    logits = await model.next(next, order)
  }
  return searches.map((search) => search.results().slice(0, settings.best))
}

type Settings = Required<Omit<BeamOptions, 'signal'>> & Pick<BeamOptions, 'signal'>

interface Beam {
  /** Prompt and generated tokens. */
  tokens: number[]
  /** Sum of log-probabilities. */
  score: number
  /** The continued beam, and the appended token. */
  from: number
  token: number
}

/** The search from one prompt. */
class Search {
  /** W open texts, best first. */
  open: Beam[]
  /** At most W complete texts, best first. */
  complete: Hypothesis[] = []
  done = false
  private readonly promptLength: number
  private readonly settings: Settings
  private readonly source: readonly number[] | undefined

  constructor(prompt: readonly number[], settings: Settings, source?: readonly number[]) {
    this.promptLength = prompt.length
    this.settings = settings
    this.source = source
    // All beams are equal at first. All but one are disabled, otherwise each text would be found W times.
    this.open = Array.from({ length: settings.beams }, (_, i) => ({
      tokens: [...prompt],
      score: i === 0 ? 0 : -FAR,
      from: i,
      token: 0,
    }))
  }

  advance(logitsOf: (beam: number) => TypedArray): void {
    const { beams, stopTokens, maxTokens } = this.settings
    const kept = Math.max(2, 1 + stopTokens.length) * beams // enough open candidates even if W of them end
    const candidates = this.candidates(logitsOf, kept)
    const length = this.length + 1
    const ends = candidates.map(
      (beam) =>
        length === maxTokens ||
        stopTokens.includes(beam.token) ||
        this.completes(this.textOf(beam)),
    )
    this.finish(candidates.filter((_, rank) => ends[rank] && rank < beams))
    // Complete texts are kept as open beams only if there are not enough others.
    const open = candidates
      .map((beam, rank) => (ends[rank] ? { ...beam, score: beam.score - FAR } : beam))
      .sort((a, b) => b.score - a.score)
      .slice(0, beams)
    this.done = ends.every(Boolean) || open.length < beams
    if (this.done) return
    this.open = open.map((beam) => ({ ...beam, tokens: this.textOf(beam) }))
    this.done = this.isDone()
  }

  /** The complete texts, or the open texts if none is complete, best first. */
  results(): Hypothesis[] {
    if (this.complete.length > 0) return this.complete
    return this.open.map(({ tokens, score }) => ({
      tokens: tokens.slice(this.promptLength),
      score: this.normalised(score, this.length),
    }))
  }

  /** Number of generated tokens. */
  private get length(): number {
    return this.open[0].tokens.length - this.promptLength
  }

  private textOf({ from, token }: Beam): number[] {
    return [...this.open[from].tokens, token]
  }

  /** The best continuations of all beams by one token, best first. */
  private candidates(logitsOf: (beam: number) => TypedArray, count: number): Beam[] {
    const best: Beam[] = []
    for (const [from, { tokens, score: before }] of this.open.entries()) {
      const scores = this.scores(logitsOf(from), tokens)
      for (let token = 0; token < scores.length; token++) {
        const score = before + scores[token]
        if (best.length === count && !(score > best[count - 1].score)) continue
        if (score === Number.NEGATIVE_INFINITY) continue
        let at = best.length
        while (at > 0 && score > best[at - 1].score) at--
        best.splice(at, 0, { tokens, score, from, token })
        if (best.length > count) best.pop()
      }
    }
    return best
  }

  private scores(logits: TypedArray, tokens: readonly number[]): ArrayLike<number> {
    const norm = logSumExp(logits)
    const scores = new Float32Array(logits) // Float32Array.from(…, f) is ten times slower
    for (let i = 0; i < scores.length; i++) scores[i] -= norm
    const all = processed(scores, this.settings.processors, this.textWith(tokens))
    if (Number.isNaN(norm)) checkNumbers(all)
    return all
  }

  private completes(tokens: readonly number[]): boolean {
    return isComplete(this.settings.processors, this.textWith(tokens))
  }

  private textWith(tokens: readonly number[]): Text {
    const { maxTokens, stopTokens } = this.settings
    return { tokens, promptLength: this.promptLength, maxTokens, stopTokens, source: this.source }
  }

  private finish(ended: Beam[]): void {
    const length = this.length + 1
    for (const beam of ended)
      this.complete.push({
        tokens: this.textOf(beam).slice(this.promptLength),
        score: this.normalised(beam.score, length),
      })
    this.complete.sort((a, b) => b.score - a.score)
    this.complete.length = Math.min(this.complete.length, this.settings.beams)
  }

  private isDone(): boolean {
    const { beams, earlyStopping, lengthPenalty, maxTokens } = this.settings
    if (this.complete.length < beams) return false
    if (earlyStopping === true) return true
    // With lengthPenalty above 0, a longer text of the same probability has a higher score.
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? maxTokens : this.length
    return this.normalised(this.open[0].score, length) <= this.complete[beams - 1].score
  }

  private normalised(score: number, length: number): number {
    return score / length ** this.settings.lengthPenalty
  }
}

const FAR = 1e9

/** Checks scores after the processors, because a processor may replace NaN. */
function checkNumbers(scores: ArrayLike<number>): void {
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) throw notANumber()
}

function withDefaults(options: BeamOptions): Settings {
  const { beams, best = 1, maxTokens = 100, lengthPenalty = 1 } = options
  checkWhole('beams', beams, 1)
  if (beams > MOST_BEAMS)
    throw invalidOption({
      key: 'beams',
      value: beams,
      expected: `at most ${MOST_BEAMS}`,
      try: { beams: [MOST_BEAMS] },
    })
  checkWhole('best', best, 1)
  checkWhole('maxTokens', maxTokens, 1)
  if (best > beams)
    throw invalidOption({
      key: 'best',
      value: best,
      expected: `at most \`beams\` (${beams})`,
      try: { best: [beams], beams: [best] },
    })
  if (!Number.isFinite(lengthPenalty))
    throw invalidOption({
      key: 'lengthPenalty',
      value: lengthPenalty,
      expected: 'a finite number',
      try: { lengthPenalty: [0, 1] },
    })
  return {
    earlyStopping: false,
    stopTokens: [],
    processors: [],
    ...options,
    best,
    maxTokens,
    lengthPenalty,
  }
}

/** Same as the maximum of `num_beams` in generation_config.json. */
const MOST_BEAMS = 1024
