// A run on disk: a Hugging Face folder, with what it takes to go on beside it.
//
//   RUN/config.json, model.safetensors, tokenizer.json …   opens in transformers at any moment
//   RUN/metrics.jsonl                                      one line for each logged step
//   RUN/best/                                              the folder of the best validation loss
//   RUN/checkpoints/step-…/                                model, optimizer, trainer_state (io/checkpoint.ts)
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/atomic.ts'
import { type Checkpoint, latestCheckpoint, saveCheckpoint } from '../io/checkpoint.ts'
import { ensureDir } from '../io/ensure-dir.ts'
import { fileError } from '../io/file-error.ts'
import { readJson } from '../io/json.ts'
import { openSafetensors, writeSafetensors } from '../io/safetensors.ts'
import {
  type CausalLM,
  configJson,
  loadWeights,
  savePretrained,
  saveWeights,
} from '../models/index.ts'
import type { AdamW } from '../optim/index.ts'
import { defaultGenerator, type RandomState, type Tensor, tensor } from '../tensor/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { parseTrainConfig, type TrainConfig } from './config.ts'

/** One line of metrics.jsonl. */
export interface Metrics {
  step: number
  loss: number
  val_loss?: number
  lr: number
  grad_norm: number
  tokens_per_second: number
}

/** Everything beside tensors that a run needs to go on as if it had never stopped. */
export interface TrainerState {
  step: number
  config: TrainConfig
  random: RandomState
  best: { step: number; val_loss: number } | null
  /** What computed it: results repeat bit for bit on the same only. */
  computed_on: { heed: string; device: string }
}

const stateSchema = z.object({
  step: z.int().min(0),
  config: z.unknown(),
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
  async create(model: CausalLM, tokenizer: Tokenizer): Promise<void> {
    await ensureDir(this.path)
    await writeFileAtomic(join(this.path, 'config.json'), configJson(model))
    await tokenizer.save(this.path, { modelMaxLength: model.contextLength })
  }

  async save(model: CausalLM, optimizer: AdamW, state: TrainerState): Promise<void> {
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
      throw new HeedError(`${path} is not the state of a run: ${parsed.error.issues[0].message}`)
    const config = parseTrainConfig(parsed.data.config, path)
    return { files, state: { ...parsed.data, config } }
  }

  /** Puts model, optimiser and random numbers where the checkpoint left them. */
  async restore(model: CausalLM, optimizer: AdamW): Promise<TrainerState | undefined> {
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

  async saveBest(model: CausalLM, tokenizer: Tokenizer): Promise<void> {
    await savePretrained(model, join(this.path, 'best'), { tokenizer })
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
