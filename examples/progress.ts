// Where a run is, now and then, on one line.
import type { TrainEvent } from 'heed/train'

/** What `trainModel` tells, as lines on standard error: one at a terminal, which is written over, else one every half minute. */
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
