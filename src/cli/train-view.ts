// Shows the progress of a training run: a live block in a terminal, plain lines elsewhere.
import { join } from 'node:path'
import { defaultDevice } from '../runtime/devices.ts'
import type { TrainConfig } from '../train/config-schema.ts'
import type { Start, TrainEvent, TrainOutcome } from '../train/train-model.ts'
import { importedModules } from '../util/imports.ts'
import { shellWord } from '../util/shell.ts'
import { isTerminal, pc } from './colors.ts'
import { drawCurve } from './curve.ts'
import { liveBlock } from './live.ts'
import { bar, duration, short } from './text.ts'

export interface TrainView {
  on(event: TrainEvent): void
  note(text: string): void
  finish(outcome: TrainOutcome): void
  close(): void
}

export function trainView(config: TrainConfig, out: string): TrainView {
  const live = isTerminal(process.stdout)
  const progress = live ? new LiveProgress() : new PlainProgress(config)
  return {
    on: (event) => progress.on(event),
    note: (text) => progress.print(text),
    finish: (outcome) => {
      progress.close()
      console.log(summary(outcome, config, out))
    },
    close: () => progress.close(),
  }
}

interface Progress {
  on(event: TrainEvent): void
  print(text: string): void
  close(): void
}

function headline(start: Start): string {
  const device = defaultDevice()
  const where =
    'isa' in device && 'threads' in device
      ? `${device.name} ${device.isa}, ${device.threads} threads`
      : device.name
  const { model, parameters, trained, vocabSize, size, unit } = start
  const part = trained < parameters ? ` (${short(trained)} trained)` : ''
  const vocabulary = vocabSize === undefined ? '' : `, vocabulary ${vocabSize}`
  return `${model} with ${short(parameters)} parameters${part}${vocabulary}, ${short(size.train)} training ${unit}, on ${where}`
}

function remarks({ warnings, fresh, step, heldOut }: Start): string[] {
  const lines = [...warnings]
  const { validated, total } = heldOut
  if (validated < total)
    lines.push(`Validation uses ${validated} of ${total} held-out examples (--eval-batches)`)
  if (fresh.length > 0)
    lines.push(`New weights: ${fresh.slice(0, 6).join(', ')}${fresh.length > 6 ? ' …' : ''}`)
  if (step > 0) lines.push(`Resuming from step ${step}`)
  return lines
}

class PlainProgress implements Progress {
  private readonly config: TrainConfig
  private steps = 0
  private unit = ''
  private validation = ''

  constructor(config: TrainConfig) {
    this.config = config
  }

  on(event: TrainEvent): void {
    if (event.type === 'start') {
      this.print(headline(event))
      this.steps = event.steps
      this.unit = event.unit
      for (const line of remarks(event)) this.print(line)
    } else if (event.type === 'step') this.step(event)
    else if (event.type === 'validation')
      this.print(
        `step ${event.step}  validation loss ${event.loss.toFixed(4)}${event.best ? ' (best)' : ''}`,
      )
    else if (event.type === 'saved') this.print(`step ${event.step}  saved`)
    else if (event.type === 'warning') this.print(event.text)
  }

  print(text: string): void {
    console.log(text)
  }

  close(): void {
    this.validation = ''
  }

  private step({ result, rate, metrics }: Extract<TrainEvent, { type: 'step' }>): void {
    const { step, loss, lr, gradNorm } = result
    if (step !== 1 && step % this.config.logEvery !== 0 && step !== this.steps) return
    this.print(
      `step ${step}/${this.steps}  loss ${loss.toFixed(4)}  lr ${lr.toExponential(2)}  grad norm ${gradNorm.toFixed(2)}  ${short(rate)} ${this.unit}/s${metricsText(metrics)}${this.validation}`,
    )
  }
}

const CURVE_WIDTH = 60
const CURVE_HEIGHT = 6
const REDRAW_EVERY = 100 // milliseconds

class LiveProgress implements Progress {
  private readonly block = liveBlock(process.stdout)
  private readonly losses: [number, number][] = []
  private head = ''
  private steps = 0
  private unit = ''
  private validation = ''
  private smooth = Number.NaN
  private step = 0
  private started = 0
  private startStep = 0
  private status = ''
  private metrics = ''
  private drawn = 0

  on(event: TrainEvent): void {
    if (event.type === 'progress') this.preparing(event.what, event.done, event.total)
    else if (event.type === 'start') this.begin(event)
    else if (event.type === 'step') this.advance(event)
    else if (event.type === 'warning') this.print(pc.yellow(event.text))
    else if (event.type === 'validation') {
      const best = event.best ? pc.green(' best so far') : ''
      this.validation = `validation loss ${pc.bold(event.loss.toFixed(4))} at ${event.step}${best}`
      this.draw(true)
    }
  }

  print(text: string): void {
    this.block.print(text)
  }

  close(): void {
    if (this.head !== '') this.draw(true)
    this.head = ''
    this.block.close()
  }

  private preparing(what: string, done: number, total?: number): void {
    if (performance.now() - this.drawn < REDRAW_EVERY) return
    this.drawn = performance.now()
    const amount = total
      ? `${bar(done / total, 30)} ${Math.round((100 * done) / total)} %`
      : short(done)
    this.block.draw([`${what}  ${amount}`])
  }

  private begin(event: Start): void {
    this.head = headline(event)
    this.startStep = event.step
    this.step = event.step
    this.started = performance.now()
    this.steps = event.steps
    this.unit = event.unit
    for (const line of remarks(event)) this.print(pc.yellow(line))
    this.draw(true)
  }

  private advance({ result, rate, metrics }: Extract<TrainEvent, { type: 'step' }>): void {
    const { step, loss, lr } = result
    this.step = step
    this.smooth = Number.isNaN(this.smooth) ? loss : 0.9 * this.smooth + 0.1 * loss
    this.losses.push([step / this.steps, this.smooth])
    this.status = `training loss ${pc.bold(this.smooth.toFixed(4))}   lr ${lr.toExponential(1)}   ${short(rate)} ${this.unit}/s`
    this.metrics = metricsText(metrics).trim()
    this.draw(step === this.steps)
  }

  private draw(now: boolean): void {
    if (!now && performance.now() - this.drawn < REDRAW_EVERY) return
    this.drawn = performance.now()
    const { steps } = this
    const passed = (performance.now() - this.started) / 1000
    const left = (passed / Math.max(1, this.step - this.startStep)) * (steps - this.step)
    const time = this.step > this.startStep ? `${duration(left)} left` : ''
    this.block.draw([
      pc.dim(this.head),
      `${pc.cyan(bar(this.step / steps, 30))}  step ${this.step} of ${steps}   ${time}`,
      this.status,
      ...(this.metrics === '' ? [] : [this.metrics]),
      this.validation,
      ...drawCurve(this.losses, CURVE_WIDTH, CURVE_HEIGHT).map((line) => pc.yellow(line)),
    ])
  }
}

/** The metrics of the batch of a step, such as its rewards. */
const metricsText = (metrics: Readonly<Record<string, number>> = {}): string =>
  Object.entries(metrics)
    .map(([name, value]) => `  ${name.replaceAll('_', ' ')} ${value.toFixed(3)}`)
    .join('')

function summary(outcome: TrainOutcome, config: TrainConfig, out: string): string {
  const { step, finished, best, bitsPerCharacter, evaluation, task } = outcome
  const lines = ['']
  if (best) {
    const bits =
      bitsPerCharacter === null ? '' : ` (${bitsPerCharacter.toFixed(3)} bits per character)`
    lines.push(
      `Best validation loss ${best.val_loss.toFixed(4)}${bits} at step ${best.step}, saved in ${join(out, 'best')}`,
    )
  }
  if (!finished) {
    lines.push(
      `Stopped and saved at step ${step}. To resume:`,
      `  ${command('train', '--out', shellWord(out), '--resume')}`,
    )
    return lines.join('\n')
  }
  if (evaluation)
    lines.push(
      `Evaluation on held-out data: ${Object.entries(evaluation.metrics)
        .map(([name, value]) => `${name} ${value.toFixed(4)}`)
        .join(', ')}`,
    )
  const run = shellWord(out)
  const uses = {
    predict: { what: 'use it', line: command('predict', run, shellWord(config.data[0])) },
    generate: { what: 'generate text', line: command('generate', run, '--prompt', 'The', '--tokens', '200') },
    chat: { what: 'talk to it', line: command('chat', run) },
  } // biome-ignore format: one line each
  const { what, line } = uses[task.command ?? 'predict']
  lines.push(`Saved in ${out}. To ${what}:`, `  ${line}`)
  return lines.join('\n')
}

/** A command that can be pasted into a shell, with the --import flags of this process. */
function command(...words: string[]): string {
  const imports = importedModules().map(({ name }) => `--import ${shellWord(name)}`)
  return ['npx heed', ...words, ...imports].join(' ')
}
