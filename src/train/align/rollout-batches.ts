// Batches of answers that the trained model samples at each step, with their rewards. They depend only on the seed, the
// step and the weights, so that a resumed run continues bit for bit.
import type { Batch, BatchSampler } from '../../data/index.ts'
import { Rollouts } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import { holdBatch } from '../../pipelines/hold-batch.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import { noGrad, type Tensor } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { deriveSeed } from '../../util/random.ts'
import type { BatchReport } from '../task.ts'
import { answerText } from '../tasks/answering.ts'
import { deviation, isEqual, mean } from './advantages.ts'
import { divergenceOf, type Goals, goalArrays, type Judged, type Sample, type Scores, samplingGap, tokenScores, valueError } from './judged.ts' // biome-ignore format: one line
import { tokenLogProbabilities } from './policy-losses.ts'
import type { Prompt } from './prompts.ts'
import type { Judge } from './reward-source.ts'
import { type Generation, SavedRollouts } from './saved-rollouts.ts'
import type { ValueHead } from './value-head.ts'

/** What batches of rollouts are made with. */
export interface RolloutSetup {
  model: CausalLM
  /** The model as it was when the run started; null if the divergence from it does not count. */
  reference: CausalLM | null
  tokenizer: Tokenizer
  judge: Judge
  /** Number of answers to each prompt. */
  answers: number
  maxTokens: number
  stopTokens: readonly number[]
  temperature: number
  /** Seed of the run. */
  seed: number
  /** Folder of the run. */
  run: string
  /** Number of steps with the same answers. */
  iterations: number
  /** The ratio of probabilities is clipped to 1 ± epsilon, which is reported for more than one iteration. */
  epsilon: number
  /** The prompts of a step. */
  prompts(step: number): readonly Prompt[]
  /** The values of tokens, for methods that learn them. */
  head: ValueHead | null
  /** Returns what the loss compares answers with. */
  goals(judged: Judged): Goals
}

/** Samples, judges and collates the answers of each step. */
export class RolloutBatches implements BatchSampler {
  readonly #setup: RolloutSetup
  readonly #rollouts: Rollouts
  readonly #reports = new Map<number, BatchReport>()
  readonly #score: (batch: Batch) => Promise<Scores>
  readonly #saved: SavedRollouts
  #current: Generation | null = null
  /** Number of consecutive generations in which all groups had equal rewards. */
  #idle = 0

  constructor(setup: RolloutSetup) {
    this.#setup = setup
    const { model, reference, head, temperature, maxTokens, stopTokens, run, iterations } = setup
    this.#saved = new SavedRollouts(run, iterations)
    this.#rollouts = new Rollouts(model, { maxTokens, stopTokens, temperature })
    const scores = holdBatch(({ inputs, targets }) =>
      noGrad(() => {
        const logs = (logits: Tensor): Tensor => tokenLogProbabilities(logits, targets, temperature)
        model.eval()
        const { logits, values } = head?.forward(inputs) ?? { logits: model.forward(inputs) }
        return [
          logs(logits),
          ...(reference ? [logs(reference.eval().forward(inputs))] : []),
          ...(values ? [values] : []),
        ]
      }),
    )
    this.#score = async ({ inputs, targets }) => {
      const results = await scores({ inputs, targets })
      const arrays = await Promise.all(results.map(async (result) => Float32Array.from(await result.data(), Number))) // biome-ignore format: one line
      const [policy, ...others] = arrays
      return { policy, start: reference ? others[0] : null, values: head ? others.at(-1) ?? null : null } // biome-ignore format: one line
    }
  }

  /**
   * Arrays of N = prompts × answers rows: inputs and targets i32 (N, T), the goals of the method f32 (N) or (N, T),
   * reference f32 (N, T) if the divergence counts, and if several steps use the same answers, old f32 (N, T), with a value
   * head also oldValues f32 (N, T).
   */
  async batch(step: number): Promise<Batch> {
    const generation = this.#saved.generationOf(step)
    if (this.#current?.step !== generation)
      this.#current = step === generation ? await this.#generate(step) : await this.#saved.read(generation) // biome-ignore format: one line
    const { batch, report } = this.#current
    const isLater = step !== generation
    this.#reports.set(step, isLater ? { metrics: { ...report.metrics, clipped: await this.#clipped(batch) } } : report) // biome-ignore format: one line
    this.#reports.delete(step - KEPT_REPORTS)
    return batch
  }

  /** Samples and judges answers. */
  async #generate(step: number): Promise<Generation> {
    const { answers, seed, judge, tokenizer, reference, head, iterations } = this.#setup
    const prompts = this.#setup.prompts(step)
    const written = await this.#rollouts.write(
      prompts.map(({ ids }) => ids),
      { answers, seed: deriveSeed(seed, `rollouts of step ${step}`) },
    )
    const samples = written.flatMap((group, i) => group.map((rollout) => ({ ...rollout, prompt: prompts[i] }))) // biome-ignore format: one line
    const rewards = await judge(samples.map(({ prompt, tokens }) => ({ prompt, answer: answerText(tokenizer, tokens) }))) // biome-ignore format: one line
    const arrays = this.#collate(samples)
    const { shape } = arrays.inputs
    const isScored = reference !== null || head !== null || iterations > 1
    const scores = isScored ? await this.#score(arrays) : null
    const places = samples.map(({ prompt, tokens }, row) => ({
      start: row * shape[1] + prompt.ids.length - 1,
      count: tokens.length,
    }))
    const groups = inGroups(rewards, answers)
    const judged = { rewards: groups, answers: places.map((place) => tokenScores(place, scores)) }
    const goals = this.#setup.goals(judged)
    const tokens = (data: Float32Array): Batch[string] => ({ data, shape })
    const batch = {
      ...arrays,
      ...goalArrays(goals, places, shape),
      ...(scores?.start && { reference: tokens(scores.start) }),
      ...(scores && iterations > 1 && { old: tokens(scores.policy) }),
      ...(scores?.values && iterations > 1 && { oldValues: tokens(scores.values) }),
    }
    const compared = {
      ...(scores?.start && divergenceOf(judged)),
      ...(scores && { sampling_gap: samplingGap(samples, places, scores.policy) }),
      ...(head && { value_error: valueError(judged, goals) }),
    }
    const generation = { step, batch, report: this.#reportOf(samples, groups, compared) }
    if (iterations > 1) await this.#saved.save(generation)
    return generation
  }

  /** The share of tokens whose ratio of probabilities has left the clipped range in the direction of their advantage. */
  async #clipped(batch: Batch): Promise<number> {
    const { policy } = await this.#score(batch)
    const { epsilon } = this.#setup
    const { targets, advantages, old } = batch
    const isOfTokens = advantages.shape.length === 2
    const length = targets.shape[1]
    let [clipped, count] = [0, 0]
    policy.forEach((score, i) => {
      if (Number(targets.data[i]) === -100) return
      const ratio = Math.exp(score - Number(old.data[i]))
      const advantage = Number(advantages.data[isOfTokens ? i : Math.floor(i / length)])
      clipped += Number(advantage > 0 ? ratio > 1 + epsilon : advantage < 0 && ratio < 1 - epsilon)
      count++
    })
    return clipped / count
  }

  /** What is known about the batch of a recent step. */
  reportOf(step: number): BatchReport | undefined {
    return this.#reports.get(step)
  }

  /** Arrays whose length is one of a few, so that few programs are compiled. */
  #collate(samples: readonly Sample[]): { inputs: Batch[string]; targets: Batch[string] } {
    const rows = samples.map(({ prompt, tokens }) => ({
      ids: [...prompt.ids, ...tokens.slice(0, -1)],
      targets: [...prompt.ids.slice(1).map(() => -100), ...tokens],
    }))
    const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0)
    const promptLength = samples.reduce((most, { prompt }) => Math.max(most, prompt.ids.length), 0)
    const grain = 8 * Math.ceil((promptLength + this.#setup.maxTokens) / 64)
    const length = Math.min(this.#setup.model.contextLength, grain * Math.ceil(longest / grain))
    return {
      inputs: padded(rows.map(({ ids }) => ids), length, padId(this.#setup.tokenizer)),
      targets: padded(rows.map(({ targets }) => targets), length, -100),
    } // biome-ignore format: one line each
  }

  #reportOf(
    samples: readonly Sample[],
    groups: readonly (readonly number[])[],
    compared: Readonly<Record<string, number>>,
  ): BatchReport {
    const rewards = groups.flat()
    const equal = mean(groups.map((group) => Number(isEqual(group))))
    const comparesGroups = this.#setup.head === null
    this.#idle = comparesGroups && equal === 1 ? this.#idle + 1 : 0
    const metrics = {
      reward: mean(rewards),
      reward_std: deviation(rewards),
      ...(comparesGroups && { equal_groups: equal }),
      ...compared,
      entropy: mean(samples.flatMap(({ entropies }) => entropies)),
      truncated: mean(samples.map(({ ended }) => Number(!ended))),
      answer_tokens: mean(samples.map(({ tokens }) => tokens.length)),
    }
    const warning =
      this.#idle > 0 && this.#idle % IDLE_STEPS === 0
        ? `For ${this.#idle} steps with new answers, all answers to each prompt had equal rewards (mean ${mean(rewards).toPrecision(3)}), so nothing was learned. Use easier or harder prompts, a reward with more levels, more answers, or a higher temperature`
        : undefined
    return { metrics, warning }
  }
}

const inGroups = (values: readonly number[], size: number): number[][] =>
  Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size))

/** A warning is given each time that this number of steps had no variance. */
const IDLE_STEPS = 20
/** A step is reported after the next one was submitted. */
const KEPT_REPORTS = 4
