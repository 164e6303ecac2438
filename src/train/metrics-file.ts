// metrics.jsonl of a run: one line for each logged step.
import { createHash } from 'node:crypto'
import { appendFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { fileError } from '../io/files/file-error.ts'
import { type FileHash, forgetHashes } from '../io/files/hashes.ts'
import { patiently } from '../io/files/patience.ts'

/** The name of the file. */
export const METRICS = 'metrics.jsonl'

/** Schema of a line of metrics.jsonl, for documentation. */
export const metricsSchema = z.object({
  step: z.int().min(0).describe('number of completed training steps'),
  loss: z.number().optional().describe('training loss of the step'),
  val_loss: z.number().optional().describe('loss on held-out data'),
  lr: z.number().optional().describe('learning rate of the step'),
  grad_norm: z
    .number()
    .optional()
    .describe('norm of the gradient of all parameters, before clipping'),
  tokens_per_second: z.number().optional().describe('training speed of tasks that count tokens'),
  rows_per_second: z.number().optional().describe('training speed of tasks that count rows'),
  images_per_second: z.number().optional().describe('training speed of tasks that count images'),
  memory_bytes: z.number().optional().describe('memory of the process (resident set)'),
  reward: z.number().optional().describe('mean reward of the answers of the step, for rollouts'),
  reward_std: z.number().optional().describe('standard deviation of these rewards'),
  equal_groups: z.number().optional().describe('share of prompts whose answers have equal rewards'),
  kl: z
    .number()
    .optional()
    .describe(
      'divergence of the model from that at the start in nats per token, if `beta` is not 0',
    ),
  sampling_gap: z
    .number()
    .optional()
    .describe(
      'mean difference of log-probabilities between sampling and training, if `beta` is not 0',
    ),
  entropy: z.number().optional().describe('entropy of the sampled tokens in nats'),
  clipped: z
    .number()
    .optional()
    .describe('share of tokens whose ratio of probabilities is clipped, with `iterations`'),
  truncated: z.number().optional().describe('share of answers that reached `maxNewTokens`'),
  answer_tokens: z.number().optional().describe('mean number of tokens in an answer'),
  val_accuracy: z.number().optional().describe('accuracy on held-out data, for some tasks'),
  val_f1: z.number().optional().describe('macro F1 on held-out data, for some tasks'),
})

/**
 * One line of metrics.jsonl: the metrics of a training step, or of an evaluation.
 */
export type Metrics = z.output<typeof metricsSchema> & {
  /** Metrics of the held-out data; see `Task.validationMetrics`. */
  [metric: `val_${string}`]: number | undefined
}

export class MetricsFile {
  private readonly folder: string
  private readonly path: string
  /** The contents of the file, to write it again if the folder is removed during the run. */
  private text = ''

  constructor(folder: string) {
    this.folder = folder
    this.path = join(folder, METRICS)
  }

  /** Appends a line. */
  async add(metrics: Metrics): Promise<void> {
    const line = `${JSON.stringify(metrics)}\n`
    await patiently(() => appendFile(this.path, line)).catch((error) => {
      throw fileError(error, 'write', this.path)
    })
    this.text += line
  }

  /** Removes the file of a run that was killed before its first checkpoint. */
  async clear(): Promise<void> {
    await rm(this.path, { force: true })
    this.text = ''
  }

  /** Removes the lines after `step`; these steps will run again. */
  async cut(step: number): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '')
    const kept = text.split(/\r?\n/).filter((line) => line !== '' && stepOf(line) <= step)
    this.text = kept.map((line) => `${line}\n`).join('')
    await forgetHashes(this.folder, [METRICS])
    await this.writeAgain()
  }

  /** Writes the whole file again. */
  async writeAgain(): Promise<void> {
    await writeFileAtomic(this.path, this.text)
  }

  /** The hash of the lines so far, for hashes.json; lines added later are not covered. */
  hash(): Record<string, FileHash> {
    const sha256 = createHash('sha256').update(this.text).digest('hex')
    return { [METRICS]: { sha256, bytes: Buffer.byteLength(this.text) } }
  }
}

/** The step of a line; infinite for an incomplete line left by a killed process. */
function stepOf(line: string): number {
  try {
    return Number(JSON.parse(line).step)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
