// metrics.jsonl of a run: a line for each logged step.
import { createHash } from 'node:crypto'
import { appendFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { fileError } from '../io/files/file-error.ts'
import { type FileHash, forgetHashes } from '../io/files/hashes.ts'
import { patiently } from '../io/files/patience.ts'

/** One line of metrics.jsonl. */
export interface Metrics {
  step: number
  loss: number
  val_loss?: number
  lr: number
  grad_norm: number
  /** One of these, by the unit of the task. */
  tokens_per_second?: number
  rows_per_second?: number
  images_per_second?: number
}

export class MetricsFile {
  private readonly folder: string
  private readonly path: string
  /** All of the file, for a folder that is removed during the run. */
  private text = ''

  constructor(folder: string) {
    this.folder = folder
    this.path = join(folder, NAME)
  }

  async add(metrics: Metrics): Promise<void> {
    const line = `${JSON.stringify(metrics)}\n`
    await patiently(() => appendFile(this.path, line)).catch((error) => {
      throw fileError(error, 'write', this.path)
    })
    this.text += line
  }

  /** Drops what a run left that was killed before its first checkpoint. */
  async clear(): Promise<void> {
    await rm(this.path, { force: true })
    this.text = ''
  }

  /** Drops the lines of later steps, which will run again. */
  async cut(step: number): Promise<void> {
    const text = await readFile(this.path, 'utf8').catch(() => '')
    const kept = text.split(/\r?\n/).filter((line) => line !== '' && stepOf(line) <= step)
    this.text = kept.map((line) => `${line}\n`).join('')
    await forgetHashes(this.folder, [NAME])
    await this.writeAgain()
  }

  async writeAgain(): Promise<void> {
    await writeFileAtomic(this.path, this.text)
  }

  /** Of the lines so far, for the list of hashes; later lines are not covered by it. */
  hash(): Record<string, FileHash> {
    const sha256 = createHash('sha256').update(this.text).digest('hex')
    return { [NAME]: { sha256, bytes: Buffer.byteLength(this.text) } }
  }
}

const NAME = 'metrics.jsonl'

/** The step of a line; infinite for an incomplete line of a killed process. */
function stepOf(line: string): number {
  try {
    return Number(JSON.parse(line).step)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
