// A whole training run of a GPT on text: from files to a folder that transformers opens.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  findTextFiles,
  type PrepareProgress,
  prepareTokens,
  RandomWindows,
  readText,
  SequentialWindows,
  surveyText,
  type TokenDataset,
} from '../data/index.ts'
import { ensureDir } from '../io/ensure-dir.ts'
import { GPT2 } from '../models/index.ts'
import { AdamW, decayGroups, schedules } from '../optim/index.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { defaultGenerator, manualSeed, noGrad } from '../tensor/index.ts'
import {
  parseTokenizerSpec,
  Tokenizer,
  type TokenizerProgress,
  trainTokenizer,
} from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { version } from '../util/version.ts'
import { checkSameRun, type TrainConfig } from './config.ts'
import { type Metrics, RunFolder, type TrainerState } from './run-folder.ts'
import { DivergedError, type StepResult, Trainer } from './trainer.ts'

export interface TrainGptOptions {
  config: TrainConfig
  /** The run's folder. */
  out: string
  /** Go on from the newest checkpoint in `out`. */
  resume?: boolean
  /** Aborting it saves, and ends the run early. */
  signal?: AbortSignal
  on?: (event: TrainEvent) => void
}

/** What happens in a run, for whoever shows it. */
export type TrainEvent =
  | { type: 'tokenizer'; progress: TokenizerProgress }
  | { type: 'tokens'; progress: PrepareProgress }
  | {
      type: 'start'
      step: number
      parameters: number
      vocabSize: number
      trainTokens: number
      validationTokens: number
      warning?: string
    }
  | { type: 'step'; result: StepResult; tokensPerSecond: number }
  | { type: 'validation'; step: number; loss: number; best: boolean }
  | { type: 'saved'; step: number }

export interface TrainOutcome {
  step: number
  /** Whether all steps were made; false when the signal ended it. */
  finished: boolean
  loss: number
  validationLoss: number | null
  /** Of the best validation loss: what a text costs, whatever the tokenizer. */
  bitsPerCharacter: number | null
  best: { step: number; val_loss: number } | null
  model: GPT2
  tokenizer: Tokenizer
}

/** Trains, logging and saving into `out`. What stands there is kept unless `resume` says so. */
export async function trainGpt(options: TrainGptOptions): Promise<TrainOutcome> {
  const { config, out, resume = false, on = () => {} } = options
  const folder = new RunFolder(out)
  const before = resume ? await folder.latest() : undefined
  if (before) checkSameRun(before.state.config, config, out)
  else await checkFree(out, resume)

  const files = findTextFiles(config.data)
  await ensureDir(out) // before the work, not after it
  const tokenizer = before ? await Tokenizer.fromFile(out) : await makeTokenizer(config, files, on)
  const cacheDir = join(out, 'data')
  const onProgress = (progress: PrepareProgress): void => on({ type: 'tokens', progress })
  const tokens = await prepareTokens({ files, tokenizer, cacheDir, onProgress })
  const run = new Run(options, folder, tokenizer, tokens)
  try {
    await run.begin(before !== undefined)
    return await run.train()
  } finally {
    tokens.close()
  }
}

async function checkFree(out: string, resume: boolean): Promise<void> {
  if (resume && !existsSync(out))
    throw new HeedError(`There is no run in ${out} to go on with`, {
      remedy: 'Leave out --resume.',
    })
  if (resume)
    throw new HeedError(`${out} has no checkpoint to go on from`, {
      remedy: 'Leave out --resume, and name another --out.',
    })
  if (existsSync(join(out, 'checkpoints')))
    throw new HeedError(`${out} holds a run already`, {
      remedy: 'Go on with it (--resume), name another folder (--out), or remove it.',
    })
}

async function makeTokenizer(
  { tokenizer }: TrainConfig,
  files: string[],
  on: (event: TrainEvent) => void,
): Promise<Tokenizer> {
  const spec = parseTokenizerSpec(tokenizer)
  if (spec.type === 'file') return Tokenizer.fromFile(spec.path)
  surveyText(files)
  const onProgress = (progress: TokenizerProgress): void => on({ type: 'tokenizer', progress })
  return trainTokenizer(textOf(files), { ...spec, onProgress })
}

function* textOf(files: string[]): Generator<string> {
  for (const file of files) yield* readText(file)
}

class Run {
  private readonly config: TrainConfig
  private readonly signal: AbortSignal | undefined
  private readonly on: (event: TrainEvent) => void
  private readonly folder: RunFolder
  private readonly tokenizer: Tokenizer
  private readonly model: GPT2
  private readonly optimizer: AdamW
  private readonly training: TokenDataset
  private readonly heldOut: TokenDataset
  private readonly validation: SequentialWindows | null
  private trainer!: Trainer
  private best: TrainerState['best'] = null
  private savedStep = -1
  private lastLoss = Number.NaN
  private validationLoss: number | null = null

  constructor(
    { config, signal, on = () => {} }: TrainGptOptions,
    folder: RunFolder,
    tokenizer: Tokenizer,
    tokens: TokenDataset,
  ) {
    this.config = config
    this.signal = signal
    this.on = on
    this.folder = folder
    this.tokenizer = tokenizer
    const split = tokens.split({ fraction: config.valFraction, seed: config.seed })
    this.training = split.train
    this.heldOut = split.validation
    this.validation = validationWindows(split.validation, config)
    manualSeed(config.seed)
    this.model = new GPT2(gptConfig(config, tokenizer))
    this.optimizer = new AdamW(decayGroups(this.model, config.weightDecay), {
      lr: config.lr,
      betas: [0.9, config.beta2],
      weightDecay: config.weightDecay,
      maxGradNorm: config.clip > 0 ? config.clip : null,
    })
  }

  /** A new folder, or the state of an old one. */
  async begin(resumed: boolean): Promise<void> {
    const { config } = this
    const batches = new RandomWindows(this.training, {
      batchSize: config.batch,
      contextLength: config.context,
      seed: config.seed,
    })
    const state = resumed ? await this.folder.restore(this.model, this.optimizer) : undefined
    if (!resumed) await this.folder.create(this.model, this.tokenizer)
    this.best = state?.best ?? null
    this.savedStep = state?.step ?? -1
    this.trainer = new Trainer({
      model: this.model,
      loss: ({ inputs, targets }) => this.model.loss(inputs, targets),
      optimizer: this.optimizer,
      schedule: scheduleOf(config),
      batches,
      accumulate: config.accumulate,
      start: state?.step ?? 0,
    })
    this.on({
      type: 'start',
      step: this.trainer.step,
      parameters: this.model.parameters().reduce((n, p) => n + p.size, 0),
      vocabSize: this.tokenizer.vocabSize,
      trainTokens: this.training.length,
      validationTokens: this.validation ? this.validation.windows * config.context : 0,
      warning: state && otherMachine(state),
    })
  }

  async train(): Promise<TrainOutcome> {
    const { config, trainer } = this
    const clock = new Clock()
    try {
      while (trainer.step < config.steps && !this.signal?.aborted) {
        await this.report(await trainer.advance(), clock)
        if (isDue(trainer.step, config.evalEvery) || trainer.step === config.steps) {
          await this.report(await trainer.drain(), clock)
          await this.validate(clock)
        }
        if (isDue(trainer.step, config.saveEvery)) await this.save(clock)
      }
      await this.report(await trainer.drain(), clock)
      await this.save(clock)
    } catch (error) {
      throw error instanceof DivergedError ? this.diverged(error) : error
    }
    return {
      step: trainer.step,
      finished: trainer.step >= config.steps,
      loss: this.lastLoss,
      validationLoss: this.validationLoss,
      bitsPerCharacter: this.best && this.best.val_loss / Math.LN2 / this.charactersPerToken(),
      best: this.best,
      model: this.model.eval() as GPT2,
      tokenizer: this.tokenizer,
    }
  }

  private async report(result: StepResult | null, clock: Clock): Promise<void> {
    if (!result) return
    const tokensPerSecond = clock.count(result.tokens)
    this.lastLoss = result.loss
    this.on({ type: 'step', result, tokensPerSecond })
    if (isDue(result.step, this.config.logEvery) || result.step === this.config.steps)
      await this.folder.log(metricsOf(result, tokensPerSecond))
  }

  private async validate(clock: Clock): Promise<void> {
    if (!this.validation) return
    const { step } = this.trainer
    const batches = Math.min(this.config.evalBatches, this.validation.stepsPerEpoch)
    const loss = await clock.pause(() =>
      this.trainer.evaluate(this.validation as SequentialWindows, batches),
    )
    this.validationLoss = loss
    const best = loss < (this.best?.val_loss ?? Number.POSITIVE_INFINITY)
    if (best) {
      this.best = { step, val_loss: loss }
      await clock.pause(() => this.folder.saveBest(this.model, this.tokenizer))
    }
    this.on({ type: 'validation', step, loss, best })
    await this.folder.log({ step, val_loss: loss } as Metrics)
  }

  private async save(clock: Clock): Promise<void> {
    const { step } = this.trainer
    if (step === this.savedStep || step === 0) return
    await this.report(await this.trainer.drain(), clock)
    if (!(await allFinite(this.model))) throw new DivergedError(step, Number.NaN)
    await clock.pause(() =>
      this.folder.save(this.model, this.optimizer, {
        step,
        config: this.config,
        random: defaultGenerator().getState(),
        best: this.best,
        computed_on: computedOn(),
      }),
    )
    this.savedStep = step
    this.on({ type: 'saved', step })
  }

  /** Over the held-out text, or the beginning of a long one. */
  private charactersPerToken(): number {
    const count = Math.min(this.heldOut.length, 200_000)
    return this.tokenizer.decode(this.heldOut.read(0, count)).length / count
  }

  private diverged(error: DivergedError): HeedError {
    const saved =
      this.savedStep > 0
        ? `The last good checkpoint is step ${this.savedStep} in ${this.folder.path}.`
        : 'No checkpoint had been saved yet.'
    return new HeedError(error.message, {
      cause: error,
      remedy: `${saved} Try a lower --lr, a longer --warmup, or a smaller --clip.`,
    })
  }
}

function validationWindows(text: TokenDataset, config: TrainConfig): SequentialWindows | null {
  if (config.evalEvery === 0 || text.length === 0) return null
  const batchSize = Math.min(config.batch, Math.floor((text.length - 1) / config.context))
  return new SequentialWindows(text, {
    batchSize: Math.max(1, batchSize),
    contextLength: config.context,
    seed: config.seed,
    shuffle: true,
  })
}

const gptConfig = (config: TrainConfig, tokenizer: Tokenizer) => ({
  vocab_size: tokenizer.vocabSize,
  n_positions: config.context,
  n_embd: config.dim,
  n_layer: config.layers,
  n_head: config.heads,
  resid_pdrop: config.dropout,
  embd_pdrop: config.dropout,
  attn_pdrop: config.dropout,
  bos_token_id: tokenizer.bosTokenId ?? tokenizer.eosTokenId ?? null,
  eos_token_id: tokenizer.eosTokenId ?? null,
})

function scheduleOf({ schedule, warmup, steps, minLr }: TrainConfig) {
  if (schedule === 'constant') return schedules.constant({ warmup })
  if (schedule === 'inverse-sqrt') return schedules['inverse-sqrt']({ warmup })
  return schedules[schedule]({ warmup, steps, end: minLr })
}

/** Whether every weight is a number: a checkpoint with others would be no good. */
async function allFinite(model: GPT2): Promise<boolean> {
  const [first, ...rest] = noGrad(() => model.parameters().map((p) => p.mul(0).sum()))
  const sum = noGrad(() => rest.reduce((a, b) => a.add(b), first))
  return (await sum.item()) === 0
}

const isDue = (step: number, every: number): boolean => every > 0 && step > 0 && step % every === 0

const metricsOf = (result: StepResult, tokensPerSecond: number): Metrics => ({
  step: result.step,
  loss: result.loss,
  lr: result.lr,
  grad_norm: result.gradNorm,
  tokens_per_second: Math.round(tokensPerSecond),
})

/** What results depend on beside the configuration. */
function computedOn(): TrainerState['computed_on'] {
  const device = defaultDevice()
  const isa = 'isa' in device ? ` ${device.isa}` : ''
  return { heed: version, device: `${device.name}${isa}` }
}

function otherMachine({ computed_on }: TrainerState): string | undefined {
  const now = computedOn()
  if (JSON.stringify(now) === JSON.stringify(computed_on)) return undefined
  return `This run was computed on ${computed_on.device} with heed ${computed_on.heed}; on ${now.device} with heed ${now.heed} it goes on, but not bit for bit.`
}

/** Tokens per second over the last few steps, without the pauses for looking and saving. */
class Clock {
  private last = performance.now()
  private rate = 0

  count(tokens: number): number {
    const now = performance.now()
    const rate = (1000 * tokens) / Math.max(0.001, now - this.last)
    this.last = now
    this.rate = this.rate === 0 ? rate : 0.9 * this.rate + 0.1 * rate
    return this.rate
  }

  async pause<T>(body: () => Promise<T>): Promise<T> {
    const before = performance.now()
    const result = await body()
    this.last += performance.now() - before
    return result
  }
}
