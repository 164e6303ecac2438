// A run on disk: a Hugging Face folder, and the files to resume training.
//
//   RUN/config.json, model.safetensors, tokenizer.json …   transformers can open it at any time
//   RUN/task.json                                          the task, for eval and predict
//   RUN/metrics.jsonl                                      a line for each logged step
//   RUN/best/                                              the model with the best validation loss
//   RUN/checkpoints/step-…/                                model, optimizer, trainer_state (io/files/checkpoint.ts)
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { type Checkpoint, latestCheckpoint, saveCheckpoint } from '../io/files/checkpoint.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { fileError } from '../io/files/file-error.ts'
import { readJson } from '../io/files/json.ts'
import { openSafetensors, writeSafetensors } from '../io/safetensors/safetensors.ts'
import { configJson, loadWeights, savePretrained, saveWeights } from '../models/index.ts'
import { currentTaskName } from '../models/task-names.ts'
import type { Module } from '../nn/index.ts'
import type { Optimizer } from '../optim/index.ts'
import { defaultGenerator, type RandomState, type Tensor, tensor } from '../tensor/index.ts'
import { HeedError } from '../util/errors.ts'
import { schemaProblems } from '../util/schema-issues.ts'
import type { ComputedOn } from './computed-on.ts'
import { parseTrainConfig } from './config.ts'
import type { TrainConfig } from './config-schema.ts'
import { writeTaskFile } from './task-file.ts'
import { contextOf, type TaskModel } from './task-model.ts'

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

/** All state of a run except tensors: with it, a resumed run computes the same as an uninterrupted one. */
export interface TrainerState {
  step: number
  config: TrainConfig
  random: RandomState
  best: { step: number; val_loss: number } | null
  computed_on: ComputedOn
}

const stateSchema = z.object({
  step: z.int().min(0),
  config: z.record(z.string(), z.unknown()),
  random: z.object({ seed: z.int(), draws: z.int().min(0) }),
  best: z.object({ step: z.int(), val_loss: z.number() }).nullable(),
  computed_on: z.object({ heed: z.string(), device: z.string() }),
  optimizer_step: z.int().min(0),
})

export class RunFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Writes the files that do not change during a run. */
  async create({ model, task, context, file }: TaskModel): Promise<void> {
    await ensureDir(this.path)
    await writeFileAtomic(join(this.path, 'config.json'), configJson(model))
    await context.preprocessor.save(this.path, lengthOf(model))
    await task.saveBeside?.(this.path, model)
    await writeTaskFile(this.path, file)
  }

  async save(model: Module, optimizer: Optimizer, state: TrainerState): Promise<void> {
    const { step, tensors } = optimizer.stateDict(model.namedParameters())
    const json = { ...state, optimizer_step: step }
    await saveCheckpoint(this.path, state.step, {
      'model.safetensors': (path) => saveWeights(model, path),
      'optimizer.safetensors': (path) => writeTensors(path, tensors),
      'trainer_state.json': `${JSON.stringify(json, null, 2)}\n`,
    })
  }

  /** The newest complete checkpoint; undefined if there is none. */
  async latest(): Promise<
    { files: Checkpoint; state: TrainerState & { optimizer_step: number } } | undefined
  > {
    const files = await latestCheckpoint(this.path)
    if (!files) return undefined
    const path = files.files['trainer_state.json']
    const json = await readJson(path)
    const parsed = stateSchema.safeParse(json)
    if (!parsed.success)
      throw new HeedError(
        'corrupt-file',
        `${path}: ${schemaProblems(parsed.error.issues, json, [])[0].message}`,
        { remedy: 'Restore the file, or remove this checkpoint to resume from the one before.' },
      )
    const config = parseTrainConfig(withCurrentTask(parsed.data.config), path)
    return { files, state: { ...parsed.data, config } }
  }

  /** Loads the state of model, optimizer and random numbers from the newest checkpoint. */
  async restore(model: Module, optimizer: Optimizer): Promise<TrainerState | undefined> {
    const checkpoint = await this.latest()
    if (!checkpoint) return undefined
    const { files } = checkpoint.files
    await loadWeights(model, files['model.safetensors'])
    const tensors = await readTensors(files['optimizer.safetensors'])
    const step = checkpoint.state.optimizer_step
    optimizer.loadStateDict({ step, tensors }, model.namedParameters())
    defaultGenerator().setState(checkpoint.state.random)
    await this.cutMetrics(checkpoint.state.step)
    return checkpoint.state
  }

  async saveBest({ model, task, context, file }: TaskModel): Promise<void> {
    const best = join(this.path, 'best')
    const tokenizer = { save: (dir: string) => context.preprocessor.save(dir, lengthOf(model)) }
    await savePretrained(model, best, { tokenizer })
    await task.saveBeside?.(best, model)
    await writeTaskFile(best, file)
  }

  async log(metrics: Metrics): Promise<void> {
    const path = join(this.path, 'metrics.jsonl')
    await appendFile(path, `${JSON.stringify(metrics)}\n`).catch((error) => {
      throw fileError(error, 'write', path)
    })
  }

  /** Drops the lines of later steps, which will run again. */
  private async cutMetrics(step: number): Promise<void> {
    const path = join(this.path, 'metrics.jsonl')
    const text = await readFile(path, 'utf8').catch(() => '')
    const kept = text.split('\n').filter((line) => line !== '' && stepOf(line) <= step)
    await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''))
  }
}

/** Older runs have former names of tasks. */
function withCurrentTask(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { task } = config
  return typeof task === 'string' ? { ...config, task: currentTaskName(task) } : config
}

/** The context length for the tokenizer's files; absent if it is unlimited. */
function lengthOf(model: Module): { modelMaxLength?: number } {
  const modelMaxLength = contextOf(model)
  return Number.isFinite(modelMaxLength) ? { modelMaxLength } : {}
}

/** The step of a line; infinite for an incomplete line of a killed process. */
function stepOf(line: string): number {
  try {
    return Number(JSON.parse(line).step)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

async function writeTensors(path: string, tensors: Record<string, Tensor>): Promise<void> {
  const list = Object.entries(tensors).map(([name, t]) => ({
    name,
    dtype: 'f32' as const,
    shape: t.shape,
    data: async () => Float32Array.from(await t.data()),
  }))
  await writeSafetensors(path, list)
}

async function readTensors(path: string): Promise<Record<string, Tensor>> {
  const file = await openSafetensors(path)
  try {
    const out: Record<string, Tensor> = {}
    for (const name of file.names) {
      const data = (await file.read(name, { as: 'f32' })) as Float32Array
      out[name] = tensor(data, { shape: file.info(name).shape })
    }
    return out
  } finally {
    await file.close()
  }
}
