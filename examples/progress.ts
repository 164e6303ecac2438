// Where a run is, now and then, on one line.
import type { TrainEvent } from 'heed/train'

/** Prints the progress of `trainModel` on standard error: one line that is redrawn at a terminal, otherwise a line every half minute. */
export function showProgress(name: string): (event: TrainEvent) => void {
  const { stderr } = process
  const every = stderr.isTTY ? 200 : 30_000
  let steps = 0
  let shown = performance.now()
  return (event) => {
    if (event.type === 'start') steps = event.steps
    if (event.type !== 'step' || performance.now() - shown < every) return
    shown = performance.now()
    const { step, loss } = event.result
    const line = `${name}: step ${step} of ${steps}, loss ${loss.toFixed(3)}`
    stderr.write(stderr.isTTY ? `\r\x1b[2K${step < steps ? line : ''}` : `${line}\n`)
  }
}
