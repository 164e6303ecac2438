// Batches whose texts are written by the student (on-policy, Agarwal et al., 2024) or by the teacher (sequence-level, Kim
// and Rush, 2016).
import type { Batch, BatchSampler } from '../../data/index.ts'
import { BatchDecoder, beamSearch, writeTokens } from '../../generate/index.ts'
import type { CausalLM } from '../../models/index.ts'
import type { Module } from '../../nn/index.ts'
import { HeedError } from '../../util/errors.ts'
import { deriveSeed } from '../../util/random.ts'
import { Draws } from '../draws.ts'
import type { Distillation } from '../task.ts'
import type { DistillOptions } from './options.ts'

/** Who writes the texts, and how. */
export interface Writers {
  /** The model that is trained. */
  readonly student: Module
  /** The model that supervises. */
  readonly teacher: Module
  /** How the texts of a batch are replaced. */
  readonly distillation: Distillation | undefined
  readonly options: Pick<DistillOptions, 'onPolicy' | 'teacherBeams'>
  /** Seed of the run. */
  readonly seed: number
}

/**
 * Replaces the continuations in batches. Which steps are on-policy, and what the student samples, depends on the seed, the
 * step and the weights at that step, so that a resumed run continues bit for bit.
 * @throws HeedError for tasks without continuations
 */
export function generatedBatches(batches: BatchSampler, writers: Writers): BatchSampler {
  const checked = checkWriters(writers)
  if (checked === null) return batches
  const { options, seed } = writers
  const { onPolicy, teacherBeams } = options
  const { continuation, student, teacher } = checked
  const decoders = new Map<string, BatchDecoder>()
  const decoderOf = (model: CausalLM, name: string, maxTokens: number): BatchDecoder => {
    const key = `${name} ${maxTokens}`
    const decoder = decoders.get(key) ?? new BatchDecoder(model, { maxTokens })
    decoders.set(key, decoder)
    return decoder
  }
  return {
    async batch(step: number): Promise<Batch> {
      const batch = await batches.batch(step)
      const isOnPolicy = new Draws({ seed, step }, 'on-policy').next() < onPolicy
      if (!isOnPolicy && teacherBeams === 0) return batch
      const { prompts, maxTokens } = continuation.prompts(batch)
      const stopTokens = await continuation.stopTokens()
      if (!isOnPolicy) {
        const decoder = decoderOf(teacher, 'teacher', maxTokens)
        const beams = { beams: teacherBeams, maxTokens, stopTokens }
        const found = await beamSearch(decoder, prompts, beams)
        return continuation.continued(batch, found.map(([{ tokens }]) => tokens)) // biome-ignore format: one line
      }
      student.eval()
      const decoder = decoderOf(student, 'student', maxTokens)
      const sampling = { maxTokens, stopTokens, seed: deriveSeed(seed, `samples of step ${step}`) }
      const texts = await sampled(decoder, prompts, sampling)
      return continuation.continued(batch, texts)
    },
  }
}

/** Returns who writes the texts; null if those of the data are used. @throws HeedError for tasks without continuations */
export function checkWriters({ student, teacher, distillation, options }: Writers) {
  const { onPolicy, teacherBeams } = options
  if (onPolicy === 0 && teacherBeams === 0) return null
  const continuation = distillation?.continuation
  if (continuation !== undefined && isCausal(student) && isCausal(teacher))
    return { continuation, student, teacher }
  throw new HeedError(
    'unsupported',
    'Texts can be generated for text-generation, and for chat without packing',
    {
      key: onPolicy > 0 ? 'onPolicy' : 'teacherBeams',
      value: onPolicy > 0 ? onPolicy : teacherBeams,
      remedy: 'Omit `onPolicy` and `teacherBeams` for other tasks.',
    },
  )
}

/** Samples a continuation of each prompt, with the token that ended it. */
async function sampled(
  decoder: BatchDecoder,
  prompts: readonly (readonly number[])[],
  options: { maxTokens: number; stopTokens: readonly number[]; seed: number },
): Promise<number[][]> {
  const texts = prompts.map((): number[] => [])
  for await (const written of writeTokens(decoder, prompts, options))
    written.forEach((each, row) => {
      if (each) texts[row].push(each.token)
    })
  const [end] = options.stopTokens
  for (const text of texts) if (text.length < options.maxTokens && end !== undefined) text.push(end)
  return texts
}

const isCausal = (model: Module): model is CausalLM => 'createCache' in model
