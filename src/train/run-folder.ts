// A run on disk: a Hugging Face folder, with what it takes to go on beside it.
//
//   RUN/config.json, model.safetensors, tokenizer.json …   opens in transformers at any moment
//   RUN/task.json                                          what it has learnt, for eval and predict
//   RUN/metrics.jsonl                                      one line for each logged step
//   RUN/best/                                              the folder of the best validation loss
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
import type { ComputedOn } from './computed-on.ts'
import { parseTrainConfig, type TrainConfig } from './config.ts'
import { writeTaskFile } from './task-file.ts'
import { contextOf, type TaskModel } from './task-model.ts'

/** One line of metrics.jsonl. */
export interface Metrics {
  step: number
  loss: number
  val_loss?: number
  lr: number
  grad_norm: number
  /** Or images, or rows. */
  tokens_per_second?: number
}

/** Everything beside tensors that a run needs to go on as if it had never stopped. */
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

  /** Writes what does not change in a run. */
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

  /** The newest whole checkpoint, or undefined for a folder without one. */
  async latest(): Promise<
    { files: Checkpoint; state: TrainerState & { optimizer_step: number } } | undefined
  > {
    const files = await latestCheckpoint(this.path)
    if (!files) return undefined
    const path = files.files['trainer_state.json']
    const parsed = stateSchema.safeParse(await readJson(path))
    if (!parsed.success)
      throw new HeedError(
        'invalid-option',
        `${path} is not the state of a run: ${parsed.error.issues[0].message}`,
      )
    const config = parseTrainConfig(withCurrentTask(parsed.data.config), path)
    return { files, state: { ...parsed.data, config } }
  }

  /** Puts model, optimiser and random numbers where the checkpoint left them. */
  async restore(model: Module, optimizer: Optimizer): Promise<TrainerState | undefined> {
    const found = await this.latest()
    if (!found) return undefined
    const { files } = found.files
    await loadWeights(model, files['model.safetensors'])
    const tensors = await readTensors(files['optimizer.safetensors'])
    const step = found.state.optimizer_step
    optimizer.loadStateDict({ step, tensors }, model.namedParameters())
    defaultGenerator().setState(found.state.random)
    await this.cutMetrics(found.state.step)
    return found.state
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

  /** Drops lines of steps after this one: they will be made again. */
  private async cutMetrics(step: number): Promise<void> {
    const path = join(this.path, 'metrics.jsonl')
    const text = await readFile(path, 'utf8').catch(() => '')
    const kept = text.split('\n').filter((line) => line !== '' && stepOf(line) <= step)
    await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''))
  }
}

/** Older runs name their task as Heed did then. */
function withCurrentTask(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { task } = config
  return typeof task === 'string' ? { ...config, task: currentTaskName(task) } : config
}

/** What a tokenizer says of the model; positions may be without an end. */
function lengthOf(model: Module): { modelMaxLength?: number } {
  const modelMaxLength = contextOf(model)
  return Number.isFinite(modelMaxLength) ? { modelMaxLength } : {}
}

/** A line that a killed process has left half written counts as later than any. */
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
