// Batches of rollouts in the folder of a run, for runs that train on the same answers in several steps. A run that is
// resumed between two of these steps needs the answers of earlier weights.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Batch } from '../../data/index.ts'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { ensureDir } from '../../io/files/ensure-dir.ts'
import { isFile } from '../../io/files/is-file.ts'
import { readJson } from '../../io/files/json.ts'
import { remove } from '../../io/files/patience.ts'
import { HeedError } from '../../util/errors.ts'
import type { BatchReport } from '../task.ts'

/** The batch of the step that sampled its answers, with its report. */
export interface Generation {
  step: number
  batch: Batch
  report: BatchReport
}

const shape = z.array(z.int().min(0))
const schema = z.object({
  step: z.int().min(0),
  i32: z.record(z.string(), z.object({ data: z.array(z.int()), shape })),
  f32: z.record(z.string(), z.object({ data: z.array(z.number()), shape })),
  metrics: z.record(z.string(), z.number()),
})

/** The generations of a run that its checkpoints and its next steps need. */
export class SavedRollouts {
  readonly #run: string
  readonly #iterations: number

  /** @param iterations number of steps with the same answers */
  constructor(run: string, iterations: number) {
    this.#run = run
    this.#iterations = iterations
  }

  /** Writes a generation, and removes those that are no longer needed. */
  async save({ step, batch, report }: Generation): Promise<void> {
    const arrays = Object.entries(batch).map(([name, { data, shape }]) => ({ name, kind: data instanceof Int32Array ? 'i32' : 'f32', data: Array.from(data, Number), shape })) // biome-ignore format: one line
    const of = (dtype: string): object =>
      Object.fromEntries(arrays.filter(({ kind }) => kind === dtype).map(({ name, data, shape }) => [name, { data, shape }])) // biome-ignore format: one line
    await ensureDir(join(this.#run, FOLDER))
    const file = { step, i32: of('i32'), f32: of('f32'), metrics: report.metrics }
    await writeFileAtomic(this.#pathOf(step), JSON.stringify(file))
    const needed = new Set([
      step,
      ...(await this.#checkpoints()).map((at) => this.generationOf(at)),
    ])
    for (const saved of await numbersIn(join(this.#run, FOLDER)))
      if (!needed.has(saved)) await remove(this.#pathOf(saved))
  }

  /** Reads a generation. @throws HeedError if the file is missing or damaged */
  async read(step: number): Promise<Generation> {
    const path = this.#pathOf(step)
    const parsed = schema.safeParse((await isFile(path)) ? await readJson(path, { maxBytes: 1e9 }) : undefined) // biome-ignore format: one line
    if (!parsed.success || parsed.data.step !== step)
      throw new HeedError('corrupt-file', `${path} must have the answers that were sampled before the checkpoint`, {
        key: FOLDER,
        value: path,
        remedy: 'Restore the file, or start a new run.',
      }) // biome-ignore format: one line
    const { i32, f32, metrics } = parsed.data
    const batch: Record<string, Batch[string]> = {}
    for (const [name, { data, shape }] of Object.entries(i32)) batch[name] = { data: Int32Array.from(data), shape } // biome-ignore format: one line
    for (const [name, { data, shape }] of Object.entries(f32)) batch[name] = { data: Float32Array.from(data), shape } // biome-ignore format: one line
    return { step, batch: inOrder(batch), report: { metrics } }
  }

  /** The step whose answers a step uses. */
  generationOf(step: number): number {
    return step - (step % this.#iterations)
  }

  #checkpoints(): Promise<number[]> {
    return numbersIn(join(this.#run, 'checkpoints'))
  }

  #pathOf(step: number): string {
    return join(this.#run, FOLDER, `step-${step}.json`)
  }
}

const FOLDER = 'rollouts'

/** The arrays of a batch by name; `inputs`, which has the rows of the batch, is the first. */
const inOrder = ({ inputs, ...others }: Record<string, Batch[string]>): Batch => ({ inputs, ...others }) // biome-ignore format: one line

/** The numbers of the entries `step-…` of a folder; none if it does not exist. */
async function numbersIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => [])
  return names.flatMap((name) => {
    const found = /^step-(\d+)/.exec(name)
    return found ? [Number(found[1])] : []
  })
}
