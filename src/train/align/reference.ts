// Log-probabilities of answers by the model as it was when the run started. They are computed once, before training, and
// kept in the run, because the model changes. For an adapter that is trained further, the model at the start includes the
// adapter; its base without the adapter would be another model.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { isFile } from '../../io/files/is-file.ts'
import { readJson } from '../../io/files/json.ts'
import type { CausalLM } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { runExamples } from '../../pipelines/run-examples.ts'
import { HeedError } from '../../util/errors.ts'
import type { HeldOutSetup } from '../task.ts'
import type { Conversation } from '../tasks/conversation.ts'
import { answerArrays, logProbabilitiesOf } from './answers.ts'

const NAME = 'reference.json'
const schema = z.record(z.string(), z.number())

/** What is needed to compute reference log-probabilities. */
export interface ReferenceSetup extends Pick<HeldOutSetup, 'startModel' | 'onProgress'> {
  /** Number of answers in a batch. */
  batchSize: number
  /** Id of the padding token. */
  pad: number
}

/** Log-probabilities by the model at the start, by the tokens of the answer and its prompt. */
export class Reference {
  readonly #scores: Map<string, number>
  #isSaved = true

  private constructor(scores: Map<string, number>) {
    this.#scores = scores
  }

  /** Reads the log-probabilities of a run; none if it is new. */
  static async open(run: string): Promise<Reference> {
    const path = join(run, NAME)
    if (!(await isFile(path))) return new Reference(new Map())
    const parsed = schema.safeParse(await readJson(path, { maxBytes: 1e9 }))
    if (parsed.success) return new Reference(new Map(Object.entries(parsed.data)))
    throw new HeedError('corrupt-file', `${path} must have a number for each answer`, {
      key: NAME,
      value: path,
      remedy: 'Remove the file; it is computed again.',
    })
  }

  /** The log-probability of an answer; undefined if it has not been computed. */
  of(answer: Conversation): number | undefined {
    return this.#scores.get(keyOf(answer))
  }

  /** Computes the log-probabilities that are missing. */
  async add(answers: Iterable<Conversation>, setup: ReferenceSetup): Promise<void> {
    const missing = new Map<string, Conversation>()
    for (const answer of answers) {
      const key = keyOf(answer)
      if (!this.#scores.has(key)) missing.set(key, answer)
    }
    if (missing.size === 0) return
    const { startModel, onProgress } = setup
    const model = causal(await startModel())
    const all = [...missing]
    for (let start = 0; start < all.length; start += PART) {
      onProgress?.('Scoring answers with the model at the start', start, all.length)
      const part = all.slice(start, start + PART)
      const scores = await scoresOf(model, part.map(([, answer]) => answer), setup) // biome-ignore format: one line
      part.forEach(([key], i) => {
        this.#scores.set(key, scores[i])
      })
    }
    this.#isSaved = false
  }

  /** Writes the log-probabilities to a run, which computes none again when it is resumed. */
  async save(run: string): Promise<void> {
    if (this.#isSaved) return
    await writeFileAtomic(join(run, NAME), `${JSON.stringify(Object.fromEntries(this.#scores))}\n`)
    this.#isSaved = true
  }
}

/** Number of answers between reports of progress. */
const PART = 256

/** The log-probability of each answer. */
export function scoresOf(
  model: CausalLM,
  answers: readonly Conversation[],
  { batchSize, pad }: Pick<ReferenceSetup, 'batchSize' | 'pad'>,
): Promise<number[]> {
  return runExamples(answers, {
    batching: {
      length: ({ ids }) => ids.length,
      collate: (some, length) => answerArrays(some, length, pad),
    },
    model,
    batchSize,
    forward: ({ inputs, targets }) => [logProbabilitiesOf(model, inputs, targets)],
    read: ([sums], row) => sums[row],
  })
}

const isCausal = (model: Module): model is CausalLM => 'createCache' in model

export function causal(model: Module): CausalLM {
  if (isCausal(model)) return model
  throw new HeedError('unsupported', `The model must predict next tokens, got ${model.constructor.name}`, {
    key: 'from',
    remedy: 'Start from a causal language model.',
  }) // biome-ignore format: one line
}

const keyOf = ({ ids, targets }: Conversation): string =>
  createHash('sha256')
    .update(Int32Array.from(ids))
    .update(Int32Array.from(targets))
    .digest('base64url')
    .slice(0, 22)
