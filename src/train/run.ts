// Runs the steps of a training run, with logging, validation and checkpoints.

import { countWeights, type Module } from '../nn/index.ts'
import { createOptimizer, decayGroups, type Optimizer, schedules } from '../optim/index.ts'
import { defaultGenerator, noGrad } from '../tensor/index.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { Clock } from './clock.ts'
import { computedOn, otherMachine } from './computed-on.ts'
import { optimizerOptions } from './config.ts'
import type { TrainConfig } from './config-schema.ts'
import { sampleOf, validationExamples } from './held-out.ts'
import { evaluateExamples, HeldOutLoss } from './held-out-loss.ts'
import type { Metrics } from './metrics-file.ts'
import type { RunFolder, TrainerState } from './run-folder.ts'
import type { Evaluation, TrainingBatches } from './task.ts'
import type { TaskModel } from './task-model.ts'
import type { TrainEvent, TrainModelOptions, TrainOutcome } from './train-model.ts'
import { DivergedError, type StepResult, Trainer } from './trainer.ts'

export class Run {
  private readonly config: TrainConfig
  private readonly signal: AbortSignal | undefined
  private readonly on: (event: TrainEvent) => void
  private readonly folder: RunFolder
  private readonly trained: TaskModel
  private readonly batches: TrainingBatches
  private readonly steps: number
  private readonly optimizer: Optimizer
  private readonly clock = new Clock()
  private readonly heldOutLoss: HeldOutLoss | null
  private readonly validated: readonly unknown[]
  private trainer!: Trainer
  private best: TrainerState['best'] = null
  private savedStep = -1
  private lastLoss = Number.NaN
  private validationLoss: number | null = null

  constructor(
    { config, signal, on = () => {} }: TrainModelOptions,
    folder: RunFolder,
    trained: TaskModel,
    batches: TrainingBatches,
  ) {
    this.config = config
    this.signal = signal
    this.on = on
    this.folder = folder
    this.trained = trained
    this.batches = batches
    this.steps = stepsOf(config, batches)
    const examples = validationExamples(batches.heldOut, config)
    this.validated = examples
    this.heldOutLoss =
      examples.length > 0
        ? new HeldOutLoss(trained.task, trained.model, examples, config.batch)
        : null
    if (config.patience > 0 && (this.heldOutLoss === null || config.evalEvery === 0))
      throw invalidOption({
        key: 'patience',
        value: config.patience,
        expected: '0 for a run without evaluations',
        remedy: 'Set `valData` or `valFraction`, and `evalEvery`.',
      })
    const { lr, weightDecay, clip } = config
    this.optimizer = createOptimizer(
      config.optimizer,
      decayGroups(trained.weights.module, weightDecay),
      {
        ...optimizerOptions(config),
        lr,
        weightDecay,
        maxGradNorm: clip > 0 ? clip : null,
      },
    )
  }

  /** Creates the folder, or restores the state of a resumed run. */
  async begin(resumed: boolean): Promise<void> {
    const { trained, batches, config } = this
    const { model, task } = trained
    const state = resumed ? await this.folder.restore(trained.weights, this.optimizer) : undefined
    const before = state && stepsOf(state.config, batches)
    if (state && before !== this.steps) checkSteps(config, this.steps, state.step)
    if (!resumed) await this.folder.create(trained)
    else if (config.base !== undefined) await this.folder.moveBase(trained)
    this.best = state?.best ?? null
    this.savedStep = state?.step ?? -1
    this.trainer = new Trainer({
      model,
      loss: (batch) => task.loss(model, batch),
      contrastive: task.contrastive,
      optimizer: this.optimizer,
      schedule: scheduleOf(config, this.steps),
      batches: batches.train,
      accumulate: config.accumulate,
      itemCounts: task.itemCounts?.bind(task),
      sliceBatch: task.sliceBatch?.bind(task),
      start: state?.step ?? 0,
    })
    this.on({
      type: 'start',
      step: this.trainer.step,
      steps: this.steps,
      model: model.constructor.name,
      parameters: countWeights(model),
      trained: trained.weights.module
        .parameters()
        .reduce((sum, { requiresGrad, size }) => sum + (requiresGrad ? size : 0), 0),
      vocabSize: (model as { vocabSize?: number }).vocabSize,
      unit: task.unit,
      size: batches.size,
      heldOut: { validated: this.validated.length, total: batches.heldOut.length },
      fresh: trained.fresh,
      warnings: [...(batches.remarks ?? []), ...(state ? this.remarksOn(state, before) : [])],
    })
  }

  /** Warnings about differences from when the run was saved. */
  private remarksOn(
    state: TrainerState & { damaged: readonly string[] },
    before: number | undefined,
  ): string[] {
    const { config, steps } = this
    const remarks = state.damaged.map(
      (problem) => `A checkpoint is damaged; resuming from step ${state.step}: ${problem}`,
    )
    const machine = otherMachine(state)
    if (machine) remarks.push(machine)
    if (before !== undefined && before !== steps) {
      const rate = (schedule: ReturnType<typeof scheduleOf>): string =>
        (config.lr * schedule(state.step + 1)).toExponential(2)
      const [was, is] = [scheduleOf(state.config, before), scheduleOf(config, steps)].map(rate)
      remarks.push(
        `${steps} steps instead of ${before}: the schedule (${config.schedule}) now spans ${steps} steps, and the learning rate continues at ${is} (before: ${was})`,
      )
    }
    return remarks
  }

  async train(): Promise<TrainOutcome> {
    const { config, trainer, steps, trained } = this
    try {
      while (trainer.step < steps && !this.signal?.aborted && !this.isStale()) {
        await this.report(await trainer.advance())
        if (isDue(trainer.step, config.evalEvery) || trainer.step === steps) {
          await this.report(await trainer.drain())
          await this.validate()
        }
        if (isDue(trainer.step, config.saveEvery)) await this.save()
      }
      await this.report(await trainer.drain())
      await this.ensureFolder()
      await this.save()
      if (trainer.step < steps && this.isStale())
        this.on({ type: 'warning', text: this.stopText() })
    } catch (error) {
      throw error instanceof DivergedError ? this.diverged(error) : error
    }
    const { charactersPerToken } = this.batches
    const finished = trainer.step >= steps || this.isStale()
    return {
      step: trainer.step,
      finished,
      loss: this.lastLoss,
      validationLoss: this.validationLoss,
      bitsPerCharacter:
        this.best && charactersPerToken ? this.best.val_loss / Math.LN2 / charactersPerToken : null,
      best: this.best,
      evaluation: finished ? await this.evaluate() : null,
      task: trained.task,
      model: trained.model.eval(),
      preprocessor: trained.context.preprocessor,
    }
  }

  /** Whether the last `patience` evaluations were no better than an earlier one. */
  private isStale(): boolean {
    const { patience, evalEvery } = this.config
    return (
      patience > 0 &&
      this.best !== null &&
      this.trainer.step - this.best.step >= patience * evalEvery
    )
  }

  private stopText(): string {
    const { patience } = this.config
    const count = patience === 1 ? 'one evaluation' : `${patience} evaluations`
    return `Stopped at step ${this.trainer.step}: no lower validation loss in ${count} (patience)`
  }

  private async report(result: StepResult | null): Promise<void> {
    if (!result) return
    const amount = this.trained.task.unit === 'tokens' ? result.tokens : result.rows
    const rate = this.clock.count(amount)
    this.lastLoss = result.loss
    const { metrics, warning } = this.batches.reportOf?.(result.step - 1) ?? {}
    this.on({ type: 'step', result, rate, metrics })
    if (warning !== undefined) this.on({ type: 'warning', text: warning })
    if (isDue(result.step, this.config.logEvery) || result.step === this.steps)
      await this.log({ ...this.metricsOf(result, rate), ...metrics })
  }

  private async log(metrics: Metrics): Promise<void> {
    await this.ensureFolder()
    await this.folder.log(metrics)
  }

  /** Writes the folder again if it was removed during the run, and reports what was lost. */
  private async ensureFolder(): Promise<void> {
    if (!this.folder.isGone()) return
    await this.folder.createAgain(this.config, this.trained)
    const lost = [
      ...(this.savedStep > 0 ? ['the checkpoints'] : []),
      ...(this.best ? [`the best model (step ${this.best.step})`] : []),
    ]
    const what = lost.length > 0 ? `; previously saved files are lost: ${lost.join(' and ')}` : ''
    this.on({
      type: 'warning',
      text: `${this.folder.path} was removed during the run. It is written again${what}`,
    })
    this.best = null
    this.savedStep = -1
  }

  private async validate(): Promise<void> {
    const { heldOutLoss } = this
    if (!heldOutLoss || this.config.evalEvery === 0) return
    const { step } = this.trainer
    const loss = await this.clock.pause(() => heldOutLoss.mean())
    this.validationLoss = loss
    await this.ensureFolder()
    const best = loss < (this.best?.val_loss ?? Number.POSITIVE_INFINITY)
    if (best) {
      this.best = { step, val_loss: loss }
      await this.clock.pause(() => this.folder.saveBest(this.trained))
    }
    this.on({ type: 'validation', step, loss, best })
    const metrics = await this.clock.pause(() => this.validationMetrics())
    await this.log({ step, val_loss: loss, ...metrics })
  }

  private async validationMetrics(): Promise<Record<string, number>> {
    const { task, model } = this.trained
    const { validationMetrics: names = [] } = task
    if (names.length === 0) return {}
    const { batch: batchSize } = this.config
    const { metrics } = await task.evaluate(model, this.validated, { batchSize, show: 0 })
    return Object.fromEntries(names.map((name) => [`val_${name}`, metrics[name]]))
  }

  private async evaluate(): Promise<Evaluation | null> {
    const { heldOut } = this.batches
    const { task, model } = this.trained
    if (heldOut.length === 0) return null
    return evaluateExamples(task, model, sampleOf(heldOut, EVALUATED, this.config.seed))
  }

  private async save(): Promise<void> {
    const { step } = this.trainer
    if (step === this.savedStep || step === 0) return
    await this.ensureFolder()
    await this.report(await this.trainer.drain())
    if (!(await allFinite(this.trained.weights.module))) throw new DivergedError(step, Number.NaN)
    await this.clock.pause(() =>
      this.folder.save(this.trained.weights, this.optimizer, {
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

  private metricsOf({ step, loss, lr, gradNorm }: StepResult, rate: number): Metrics {
    const { unit } = this.trained.task
    return {
      step,
      loss,
      lr,
      grad_norm: gradNorm,
      [`${unit}_per_second`]: Math.round(rate),
      memory_bytes: process.memoryUsage.rss(),
    }
  }

  private diverged(error: DivergedError): HeedError {
    const saved =
      this.savedStep > 0
        ? `The last finite checkpoint is step ${this.savedStep} in ${this.folder.path}.`
        : 'No checkpoint has been saved.'
    return new HeedError('diverged', error.message, {
      cause: error,
      remedy: `${saved} Use a smaller \`lr\`, a longer \`warmup\`, or a smaller \`clip\`.`,
    })
  }
}

/** Number of held-out examples in the final evaluation. */
const EVALUATED = 2000

const stepsOf = (config: TrainConfig, { perEpoch }: TrainingBatches): number =>
  stepsIn(config, perEpoch)

/** The number of steps of a run. */
export function stepsIn({ steps, epochs }: TrainConfig, perEpoch: number): number {
  return steps ?? Math.max(1, Math.ceil((epochs ?? 1) * perEpoch))
}

/** A run may be extended or shortened, but not to fewer steps than it has done. */
function checkSteps({ steps: given }: TrainConfig, steps: number, done: number): void {
  if (steps > done) return
  const key = given == null ? 'epochs' : 'steps'
  throw new HeedError(
    'invalid-option',
    `\`${key}\` must exceed the ${done} steps that the run has done, got ${steps} steps`,
    { key, value: steps, remedy: `Use more than ${done} steps, or omit \`${key}\`.` },
  )
}

function scheduleOf({ schedule, warmup: requested, minLr }: TrainConfig, steps: number) {
  const warmup = requested < steps ? requested : Math.floor(steps / 10)
  if (schedule === 'constant') return schedules.constant({ warmup })
  if (schedule === 'inverse-sqrt') return schedules['inverse-sqrt']({ warmup })
  return schedules[schedule]({ warmup, steps, end: minLr })
}

/** Whether all weights are finite. A checkpoint with NaN would be useless. */
async function allFinite(model: Module): Promise<boolean> {
  const [first, ...rest] = noGrad(() => model.parameters().map((p) => p.mul(0).sum()))
  const sum = noGrad(() => rest.reduce((a, b) => a.add(b), first))
  return (await sum.item()) === 0
}

const isDue = (step: number, every: number): boolean => every > 0 && step > 0 && step % every === 0
