// What may change in the configuration of a run that is resumed.
import { HeedError, shown } from '../util/errors.ts'
import { optimizerOptions, taskOptions } from './config.ts'
import type { CommonConfig, TrainConfig } from './config-schema.ts'
import type { Options } from './task.ts'

/** Keys that may change when a run is resumed. */
const changeable: ReadonlySet<string> = new Set([
  'data',
  'steps',
  'epochs',
  'valData',
  'evalEvery',
  'evalBatches',
  'saveEvery',
  'logEvery',
] satisfies (keyof CommonConfig)[])

/** The keys of a run with changes: another task or optimizer brings its own options. */
export function withChanges(
  saved: TrainConfig,
  changes: Readonly<Record<string, unknown>>,
): Options {
  const replaced = replacedOptions(saved, { ...saved, ...changes })
  // Steps count before epochs: of the two, the one that is given replaces the other.
  if (changes.steps === undefined && changes.epochs !== undefined) replaced.add('steps')
  const kept = Object.entries(saved).filter(([key]) => !replaced.has(key))
  return { ...Object.fromEntries(kept), ...changes }
}

/** @throws HeedError if a resumed run has another configuration than before */
export function checkSameRun(saved: TrainConfig, config: TrainConfig, run: string): void {
  const replaced = new Set([...replacedOptions(saved, config), ...replacedOptions(config, saved)])
  const keys = new Set([...Object.keys(saved), ...Object.keys(config)])
  const changed = [...keys].filter(
    (key) =>
      !changeable.has(key) &&
      !replaced.has(key) &&
      JSON.stringify(saved[key]) !== JSON.stringify(config[key]),
  )
  if (changed.length === 0) return
  const list = changed.map(
    (key) => `  \`${key}\` was ${shown(saved[key])} and is now ${shown(config[key])}`,
  )
  const [key] = changed
  throw new HeedError(
    'invalid-option',
    `The configuration must be that of the run ${run}:\n${list.join('\n')}`,
    {
      key,
      value: config[key],
      expected: shown(saved[key]),
      remedy: 'Leave these options out to resume, or start a new run with another `out`.',
    },
  )
}

/** Options of `saved` that `next` does not have, because its task or optimizer is another one. */
function replacedOptions(saved: TrainConfig, next: Options): Set<string> {
  const task = next.task === saved.task ? {} : taskOptions(saved)
  const optimizer = next.optimizer === saved.optimizer ? {} : optimizerOptions(saved)
  return new Set(Object.keys({ ...task, ...optimizer }))
}
