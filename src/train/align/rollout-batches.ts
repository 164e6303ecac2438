// Batches of answers that the trained model samples at each step, with their rewards. They depend only on the seed, the
// step and the weights, so that a resumed run continues bit for bit.
import type { Batch, BatchSampler } from '../../data/index.ts'
import { type Rollout, Rollouts } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import { holdBatch } from '../../pipelines/hold-batch.ts'
import { padded, padId } from '../../pipelines/text-examples.ts'
import { noGrad } from '../../tensor/index.ts'
import type { Tokenizer } from '../../tokenizers/index.ts'
import { deriveSeed } from '../../util/random.ts'
import type { BatchReport } from '../task.ts'
import { answerText } from '../tasks/answering.ts'
import { deviation, isEqual, mean } from './advantages.ts'
import { tokenLogProbabilities } from './policy-losses.ts'
import type { Prompt } from './prompts.ts'
import type { Judge } from './reward-source.ts'

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
  /** The prompts of a step. */
  prompts(step: number): readonly Prompt[]
  /** Computes advantages from the rewards of each group, and the divergences of its answers from the reference. */
  advantages(rewards: number[][], divergences: number[][] | null): number[][]
}

/** A sampled answer to a prompt. */
interface Sample extends Rollout {
  prompt: Prompt
}

/** Samples, judges and collates the answers of each step. */
export class RolloutBatches implements BatchSampler {
  readonly #setup: RolloutSetup
  readonly #rollouts: Rollouts
  readonly #reports = new Map<number, BatchReport>()
  readonly #score: (batch: Batch) => Promise<Float32Array[]>
  /** Number of consecutive steps in which all groups had equal rewards. */
  #idle = 0

  constructor(setup: RolloutSetup) {
    this.#setup = setup
    const { model, reference, temperature, maxTokens, stopTokens } = setup
    this.#rollouts = new Rollouts(model, { maxTokens, stopTokens, temperature })
    const run = holdBatch(({ inputs, targets }) =>
      noGrad(() =>
        [model, reference].flatMap((one) =>
          one ? [tokenLogProbabilities(one.eval().forward(inputs), targets, temperature)] : [],
        ),
      ),
    )
    this.#score = async (batch) => {
      const results = await run(batch)
      return Promise.all(results.map(async (result) => Float32Array.from(await result.data(), Number))) // biome-ignore format: one line
    }
  }

  /**
   * Arrays of N = prompts × answers rows: inputs and targets i32 (N, T), advantages f32 (N), and reference f32 (N, T) if
   * the divergence counts.
   */
  async batch(step: number): Promise<Batch> {
    const { answers, seed, judge, tokenizer, reference } = this.#setup
    const prompts = this.#setup.prompts(step)
    const written = await this.#rollouts.write(
      prompts.map(({ ids }) => ids),
      { answers, seed: deriveSeed(seed, `rollouts of step ${step}`) },
    )
    const samples = written.flatMap((group, i) => group.map((one) => ({ ...one, prompt: prompts[i] }))) // biome-ignore format: one line
    const rewards = await judge(samples.map(({ prompt, tokens }) => ({ prompt, answer: answerText(tokenizer, tokens) }))) // biome-ignore format: one line
    const arrays = this.#collate(samples)
    const compared = reference && (await this.#compare(arrays, samples))
    const groups = inGroups(rewards, answers)
    const advantages = this.#setup.advantages(groups, compared && inGroups(compared.divergences, answers)) // biome-ignore format: one line
    this.#report(step, samples, groups, compared?.metrics ?? {})
    return {
      ...arrays,
      advantages: { data: Float32Array.from(advantages.flat()), shape: [samples.length] },
      ...(compared && { reference: compared.reference }),
    }
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

  /** The log-probabilities by the reference, and the divergence of the model from it. */
  async #compare(
    arrays: { inputs: Batch[string]; targets: Batch[string] },
    samples: readonly Sample[],
  ): Promise<{
    reference: Batch[string]
    divergences: number[]
    metrics: Record<string, number>
  }> {
    const [policy, reference] = await this.#score(arrays)
    const { shape } = arrays.inputs
    let [kl, gap, count] = [0, 0, 0]
    const divergences = samples.map(({ prompt, tokens, logProbabilities }, row) => {
      const start = row * shape[1] + prompt.ids.length - 1
      return tokens.reduce((sum, _, i) => {
        const difference = reference[start + i] - policy[start + i]
        kl += Math.expm1(difference) - difference
        gap += Math.abs(logProbabilities[i] - policy[start + i])
        count++
        return sum - difference
      }, 0)
    })
    const metrics = { kl: kl / count, sampling_gap: gap / count }
    return { reference: { data: reference, shape }, divergences, metrics }
  }

  #report(
    step: number,
    samples: readonly Sample[],
    groups: readonly (readonly number[])[],
    compared: Readonly<Record<string, number>>,
  ): void {
    const rewards = groups.flat()
    const equal = mean(groups.map((group) => Number(isEqual(group))))
    this.#idle = equal === 1 ? this.#idle + 1 : 0
    const metrics = {
      reward: mean(rewards),
      reward_std: deviation(rewards),
      equal_groups: equal,
      ...compared,
      entropy: mean(samples.flatMap(({ entropies }) => entropies)),
      truncated: mean(samples.map(({ ended }) => Number(!ended))),
      answer_tokens: mean(samples.map(({ tokens }) => tokens.length)),
    }
    const warning =
      this.#idle > 0 && this.#idle % IDLE_STEPS === 0
        ? `For ${this.#idle} steps, all answers to each prompt had equal rewards (mean ${mean(rewards).toPrecision(3)}), so nothing was learned. Use easier or harder prompts, a reward with more levels, more answers, or a higher temperature`
        : undefined
    this.#reports.set(step, { metrics, warning })
    this.#reports.delete(step - KEPT_REPORTS)
  }
}

const inGroups = (values: readonly number[], size: number): number[][] =>
  Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size))

/** A warning is given each time that this number of steps had no variance. */
const IDLE_STEPS = 20
/** A step is reported after the next one was submitted. */
const KEPT_REPORTS = 4
