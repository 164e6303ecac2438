// A run on disk: a Hugging Face folder with the files that are needed to resume training.
//
//   RUN/config.json, model.safetensors, tokenizer.json …   the model; transformers can open it at any time
//   RUN/run.json                                           the configuration, written first
//   RUN/task.json                                          the task, for eval and predict
//   RUN/metrics.jsonl                                      one line for each logged step
//   RUN/hashes.json                                        the SHA-256 of these files
//   RUN/best/                                              the model with the lowest validation loss
//   RUN/checkpoints/step-…/                                model, optimizer, trainer_state (io/files/checkpoint.ts)
import { existsSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { type LatestCheckpoint, latestCheckpoint, saveCheckpoint } from '../io/files/checkpoint.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { filesBelow } from '../io/files/files-below.ts'
import { forgetHashes, recordHashes } from '../io/files/hashes.ts'
import { readJson } from '../io/files/json.ts'
import { requireIntact } from '../io/files/verify.ts'
import { openSafetensors, writeSafetensors } from '../io/safetensors/safetensors.ts'
import { currentTaskName } from '../models/task-names.ts'
import { Module } from '../nn/index.ts'
import type { Optimizer } from '../optim/index.ts'
import { defaultGenerator, type RandomState, type Tensor, tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { having, optionKinds } from '../util/options.ts'
import { schemaProblems } from '../util/schema-issues.ts'
import { warn } from '../util/warn.ts'
import { type ComputedOn, computedOn } from './computed-on.ts'
import { parseTrainConfig } from './config.ts'
import type { TrainConfig } from './config-schema.ts'
import { type Metrics, MetricsFile } from './metrics-file.ts'
import { writeTaskFile } from './task-file.ts'
import { contextOf, type TaskModel } from './task-model.ts'
import { type TrainedWeights, wholeModel } from './trained-weights.ts'

/** The state of a run except tensors. With it, a resumed run computes the same as an uninterrupted run. */
export interface TrainerState {
  /** Number of completed steps. */
  step: number
  /** The configuration of the run. */
  config: TrainConfig
  /** State of the global random generator. */
  random: RandomState
  /** Step and value of the lowest validation loss; null without one. */
  best: { step: number; val_loss: number } | null
  /** The version of Heed and the device. */
  computed_on: ComputedOn
}

export const trainerStateSchema = z.object({
  step: z.int().min(0).describe('number of completed training steps'),
  config: z.record(z.string(), z.unknown()).describe('complete training configuration'),
  random: z
    .object({
      seed: z.int().describe('seed of the default generator'),
      draws: z.int().min(0).describe('number of draws so far'),
    })
    .describe('state of the random number generator'),
  best: z
    .object({
      step: z.int().describe('step of the evaluation'),
      val_loss: z.number().describe('loss on held-out data'),
    })
    .nullable()
    .describe(
      'evaluation with the lowest loss; its model is in best/. null before the first evaluation',
    ),
  computed_on: z
    .object({
      heed: z.string().describe('version of Heed'),
      device: z.string().describe('device and instruction set'),
    })
    .describe('build and device; resuming on others is not bitwise identical and causes a warning'),
  optimizer_step: z.int().min(0).describe('number of steps of the optimizer'),
})

/** run.json: what a run was started with. */
export const runFileSchema = trainerStateSchema.pick({ config: true, computed_on: true })

const OPTIMIZER = having('an Optimizer', 'stateDict', 'loadStateDict')
const checkSave = argumentKinds('RunFolder.save', {
  model: 'model',
  optimizer: OPTIMIZER,
  state: optionKinds<TrainerState>({
    step: 'count',
    config: 'record',
    random: 'record',
    best: 'record|null',
    computed_on: 'record',
  }),
})
const checkRestore = argumentKinds('RunFolder.restore', { model: 'model', optimizer: OPTIMIZER })
const checkParts = argumentKinds('RunFolder', {
  model: 'model',
  task: 'object',
  'context.preprocessor': having('a tokenizer or image processor', 'save'),
  file: 'record',
})

function checkTrained(trained: TaskModel): void {
  const { model, task, context, file }: TaskModel = Object(trained)
  checkParts(model, task, context?.preprocessor, file)
}

interface SavedRun {
  files: LatestCheckpoint
  state: TrainerState & { optimizer_step: number }
}

/** The folder of a run: configuration, model, checkpoints and metrics. */
export class RunFolder {
  /** Path of the folder. */
  readonly path: string
  private readonly metrics: MetricsFile
  private newest: Promise<SavedRun | undefined> | undefined

  /** Refers to the folder of a run. It need not exist yet. */
  constructor(path: string) {
    checkArgument('RunFolder', 'path', path, 'text')
    this.path = path
    this.metrics = new MetricsFile(path)
  }

  /** Writes the configuration. A run that is killed before its first checkpoint starts over from it. */
  async begin(config: TrainConfig): Promise<void> {
    checkArgument('RunFolder.begin', 'config', config, 'record')
    await ensureDir(this.path)
    const text = `${JSON.stringify({ config, computed_on: computedOn() }, null, 2)}\n`
    await forgetHashes(this.path, [CONFIGURATION])
    await writeFileAtomic(join(this.path, CONFIGURATION), text)
    await recordHashes(this.path, [CONFIGURATION])
  }

  /** Reads the configuration with which the run was started; undefined if there is no run. */
  async configuration(): Promise<TrainConfig | undefined> {
    const path = join(this.path, CONFIGURATION)
    if (!existsSync(path)) return undefined
    await requireIntact(this.path, { weights: false })
    const json = await readJson(path)
    const parsed = runFileSchema.pick({ config: true }).safeParse(json)
    if (!parsed.success)
      throw corrupt(path, json, parsed.error, 'Start the run again in another folder.')
    return parseTrainConfig(withCurrentTask(parsed.data.config), path)
  }

  /** Removes the configuration of a run that failed before its first checkpoint. */
  async abandon(): Promise<void> {
    await forgetHashes(this.path)
    await rm(join(this.path, CONFIGURATION), { force: true })
  }

  /** Writes the files that do not change during a run. */
  async create(trained: TaskModel): Promise<void> {
    checkTrained(trained)
    await this.metrics.clear()
    await this.writeFiles(trained)
  }

  /** Writes where the base of the adapter is now. */
  async moveBase({ weights, file }: Pick<TaskModel, 'weights' | 'file'>): Promise<void> {
    await forgetHashes(this.path, ['config.json', 'adapter_config.json', 'task.json'])
    const files = await filesWrittenBy(this.path, async () => {
      await weights.describe(this.path)
      await writeTaskFile(this.path, file)
    })
    await recordHashes(this.path, files)
  }

  private async writeFiles({ model, weights, task, context, file }: TaskModel): Promise<void> {
    await forgetHashes(this.path)
    const files = await filesWrittenBy(this.path, async () => {
      await weights.describe(this.path)
      await context.preprocessor.save(this.path, lengthOf(model))
      await task.saveBeside?.(this.path, model)
      await writeTaskFile(this.path, file)
    })
    await recordHashes(this.path, [...files, CONFIGURATION])
  }

  /** Whether the folder has been removed or emptied since the run began. */
  isGone(): boolean {
    return !existsSync(join(this.path, CONFIGURATION))
  }

  /** Writes a removed folder again, with all metrics so far. */
  async createAgain(config: TrainConfig, trained: TaskModel): Promise<void> {
    checkTrained(trained)
    await this.begin(config)
    await this.writeFiles(trained)
    await this.metrics.writeAgain()
  }

  /** Saves a checkpoint, and updates the model in the run folder. */
  async save(
    trained: Module | TrainedWeights,
    optimizer: Optimizer,
    state: TrainerState,
  ): Promise<void> {
    const weights = weightsOf(trained)
    checkSave(weights.module, optimizer, state)
    const { step, tensors } = optimizer.stateDict(weights.module.namedParameters())
    const json = { ...state, optimizer_step: step }
    const files = {
      [weights.file]: (path: string) => weights.write(path),
      ...Object.fromEntries(
        Object.entries(weights.further ?? {}).map(([name, { write }]) => [name, write]),
      ),
      'optimizer.safetensors': (path: string) => writeTensors(path, tensors),
      [STATE]: `${JSON.stringify(json, null, 2)}\n`,
    }
    await saveCheckpoint(this.path, state.step, files, { publish: [weights.file] })
    this.newest = undefined
    await recordHashes(this.path, [weights.file], this.metrics.hash())
  }

  /**
   * Finds the newest intact checkpoint; undefined if there is none. Its checksums are verified once per object.
   * @hidden
   */
  latest(): Promise<SavedRun | undefined> {
    this.newest ??= this.readNewest()
    return this.newest
  }

  /** Reads the state of the newest intact checkpoint, without its tensors; undefined if there is none. */
  async state(): Promise<TrainerState | undefined> {
    const newest = await this.readNewest([STATE])
    for (const text of newest?.files.damaged ?? [])
      warn(`A newer checkpoint is damaged and not used: ${text}`)
    return newest?.state
  }

  private async readNewest(needed?: readonly string[]): Promise<SavedRun | undefined> {
    const files = await latestCheckpoint(this.path, needed)
    if (!files) return undefined
    const path = files.files[STATE]
    const json = await readJson(path)
    const parsed = trainerStateSchema.safeParse(json)
    if (!parsed.success)
      throw corrupt(
        path,
        json,
        parsed.error,
        'Restore the file, or remove this checkpoint to resume from the previous one.',
      )
    const config = parseTrainConfig(withCurrentTask(parsed.data.config), path)
    return { files, state: { ...parsed.data, config } }
  }

  /**
   * Loads the state of the model, the optimizer and the random number generator from the newest checkpoint.
   * @returns the state, with a description of newer damaged checkpoints; undefined if there is no checkpoint
   */
  async restore(
    trained: Module | TrainedWeights,
    optimizer: Optimizer,
  ): Promise<(TrainerState & { damaged: readonly string[] }) | undefined> {
    const weights = weightsOf(trained)
    checkRestore(weights.module, optimizer)
    const checkpoint = await this.latest()
    if (!checkpoint) return undefined
    const { files } = checkpoint.files
    await weights.read(files[weights.file])
    for (const [name, { read }] of Object.entries(weights.further ?? {})) await read(files[name])
    const tensors = await readTensors(files['optimizer.safetensors'])
    const step = checkpoint.state.optimizer_step
    optimizer.loadStateDict({ step, tensors }, weights.module.namedParameters())
    defaultGenerator().setState(checkpoint.state.random)
    await this.metrics.cut(checkpoint.state.step)
    return { ...checkpoint.state, damaged: checkpoint.files.damaged }
  }

  /** Saves the model to the subfolder `best`. */
  async saveBest(trained: TaskModel): Promise<void> {
    checkTrained(trained)
    const { model, weights, task, context, file } = trained
    const best = join(this.path, 'best')
    const tokenizer = { save: (dir: string) => context.preprocessor.save(dir, lengthOf(model)) }
    await forgetHashes(best)
    const files = await filesWrittenBy(best, async () => {
      await weights.save(best, tokenizer)
      await task.saveBeside?.(best, model)
      await writeTaskFile(best, file)
    })
    await recordHashes(best, files)
  }

  /** Appends a line to metrics.jsonl. */
  async log(metrics: Metrics): Promise<void> {
    checkArgument('RunFolder.log', 'metrics', metrics, 'record')
    await this.metrics.add(metrics)
  }
}

/** The trained weights of a run; if a model is given, all its weights. */
const weightsOf = (trained: Module | TrainedWeights): TrainedWeights =>
  isWeights(trained) ? trained : wholeModel(trained)

const isWeights = (trained: Module | TrainedWeights): trained is TrainedWeights =>
  !(trained instanceof Module) && Object(trained).module !== undefined

const CONFIGURATION = 'run.json'
const STATE = 'trainer_state.json'

function corrupt(path: string, json: unknown, error: z.ZodError, remedy: string): HeedError {
  const [{ message }] = schemaProblems(error.issues, json, [])
  return new HeedError('corrupt-file', `${path}: ${message}`, { remedy })
}

/** Paths of the files below a folder that `write` created or changed. */
async function filesWrittenBy(folder: string, write: () => Promise<void>): Promise<string[]> {
  const before = await timesIn(folder)
  await write()
  const after = await timesIn(folder)
  return [...after].flatMap(([name, time]) => (before.get(name) === time ? [] : [name]))
}

async function timesIn(folder: string): Promise<Map<string, string>> {
  const files = await filesBelow(folder).catch(() => [])
  const times = files.map(async (name): Promise<[string, string][]> => {
    const stats = await stat(join(folder, name), { bigint: true }).catch(() => undefined)
    if (!stats) return [] // removed in the meantime
    return [[name, `${stats.mtimeNs} ${stats.ino}`]] // a replaced file has another inode
  })
  return new Map((await Promise.all(times)).flat())
}

/** Runs of older versions may use former names of tasks. */
function withCurrentTask(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { task } = config
  return typeof task === 'string' ? { ...config, task: currentTaskName(task) } : config
}

/** The context length for the files of the tokenizer; omitted if it is unlimited. */
function lengthOf(model: Module): { modelMaxLength?: number } {
  const modelMaxLength = contextOf(model)
  return Number.isFinite(modelMaxLength) ? { modelMaxLength } : {}
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
