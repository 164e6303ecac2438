// What a training run shows: one live block on a terminal, a line now and then elsewhere.
import pc from 'picocolors'
import { defaultDevice } from '../runtime/devices.ts'
import type { TrainConfig } from '../train/config.ts'
import type { TrainEvent, TrainOutcome } from '../train/gpt.ts'
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
  const live = process.stdout.isTTY === true
  const progress = live ? new LiveProgress(config) : new PlainProgress(config)
  return {
    on: (event) => progress.on(event),
    note: (text) => progress.print(text),
    finish: (outcome) => {
      progress.close()
      console.log(summary(outcome, out))
    },
    close: () => progress.close(),
  }
}

interface Progress {
  on(event: TrainEvent): void
  print(text: string): void
  close(): void
}

type Start = Extract<TrainEvent, { type: 'start' }>

function headline(start: Start): string {
  const device = defaultDevice()
  const where =
    'isa' in device && 'threads' in device
      ? `${device.name} ${device.isa}, ${device.threads} threads`
      : device.name
  return `GPT-2 with ${short(start.parameters)} parameters, vocabulary ${start.vocabSize}, ${short(start.trainTokens)} tokens of text, on ${where}`
}

class PlainProgress implements Progress {
  private readonly config: TrainConfig
  private validation = ''

  constructor(config: TrainConfig) {
    this.config = config
  }

  on(event: TrainEvent): void {
    if (event.type === 'start') {
      this.print(headline(event))
      if (event.warning) this.print(event.warning)
      if (event.step > 0) this.print(`Going on from step ${event.step}`)
    } else if (event.type === 'step') this.step(event)
    else if (event.type === 'validation')
      this.print(
        `step ${event.step}  validation loss ${event.loss.toFixed(4)}${event.best ? ' (best)' : ''}`,
      )
    else if (event.type === 'saved') this.print(`step ${event.step}  saved`)
  }

  print(text: string): void {
    console.log(text)
  }

  close(): void {
    this.validation = ''
  }

  private step({ result, tokensPerSecond }: Extract<TrainEvent, { type: 'step' }>): void {
    const { step, loss, lr, gradNorm } = result
    if (step !== 1 && step % this.config.logEvery !== 0 && step !== this.config.steps) return
    this.print(
      `step ${step}/${this.config.steps}  loss ${loss.toFixed(4)}  lr ${lr.toExponential(2)}  grad norm ${gradNorm.toFixed(2)}  ${short(tokensPerSecond)} tokens/s${this.validation}`,
    )
  }
}

const CURVE_WIDTH = 60
const CURVE_HEIGHT = 6
const REDRAW_EVERY = 100 // milliseconds

class LiveProgress implements Progress {
  private readonly config: TrainConfig
  private readonly block = liveBlock(process.stdout)
  private readonly losses: [number, number][] = []
  private head = ''
  private validation = ''
  private smooth = Number.NaN
  private step = 0
  private started = 0
  private startStep = 0
  private status = ''
  private drawn = 0

  constructor(config: TrainConfig) {
    this.config = config
  }

  on(event: TrainEvent): void {
    if (event.type === 'tokenizer') {
      const { stage, done, total } = event.progress
      const what = stage === 'count' ? 'Reading text' : 'Learning the vocabulary'
      this.preparing(what, done, total)
    } else if (event.type === 'tokens') {
      const { stage, done, total } = event.progress
      this.preparing(stage === 'read' ? 'Checking text' : 'Encoding text', done, total)
    } else if (event.type === 'start') this.begin(event)
    else if (event.type === 'step') this.advance(event)
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
    if (event.warning) this.print(pc.yellow(event.warning))
    if (event.step > 0) this.print(`Going on from step ${event.step}`)
    this.draw(true)
  }

  private advance({ result, tokensPerSecond }: Extract<TrainEvent, { type: 'step' }>): void {
    const { step, loss, lr } = result
    this.step = step
    this.smooth = Number.isNaN(this.smooth) ? loss : 0.9 * this.smooth + 0.1 * loss
    this.losses.push([step / this.config.steps, this.smooth])
    this.status = `training loss ${pc.bold(this.smooth.toFixed(4))}   lr ${lr.toExponential(1)}   ${short(tokensPerSecond)} tokens/s`
    this.draw(step === this.config.steps)
  }

  private draw(now: boolean): void {
    if (!now && performance.now() - this.drawn < REDRAW_EVERY) return
    this.drawn = performance.now()
    const { steps } = this.config
    const passed = (performance.now() - this.started) / 1000
    const left = (passed / Math.max(1, this.step - this.startStep)) * (steps - this.step)
    const time = this.step > this.startStep ? `${duration(left)} left` : ''
    this.block.draw([
      pc.dim(this.head),
      `${pc.cyan(bar(this.step / steps, 30))}  step ${this.step} of ${steps}   ${time}`,
      this.status,
      this.validation,
      ...drawCurve(this.losses, CURVE_WIDTH, CURVE_HEIGHT).map((line) => pc.yellow(line)),
    ])
  }
}

function summary(outcome: TrainOutcome, out: string): string {
  const { step, finished, best, bitsPerCharacter } = outcome
  const lines = ['']
  if (best)
    lines.push(
      `Best validation loss ${best.val_loss.toFixed(4)} (${bitsPerCharacter?.toFixed(3)} bits per character) at step ${best.step}, kept in ${out}/best`,
    )
  if (!finished) {
    lines.push(
      `Stopped and saved at step ${step}. To go on:`,
      `  npx heed train gpt2 --out ${out} --resume`,
    )
    return lines.join('\n')
  }
  lines.push(
    `Saved in ${out}. To write with it:`,
    `  npx heed generate ${out} --prompt "The" --tokens 200`,
  )
  return lines.join('\n')
}
