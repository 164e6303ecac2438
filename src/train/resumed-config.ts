// Changes to the configuration of a resumed run.
import { HeedError, shown } from '../util/errors.ts'
import { optimizerOptions, taskOptions } from './config.ts'
import type { CommonConfig, TrainConfig } from './config-schema.ts'
import type { Options } from './task.ts'

/** Keys that may change when a run is resumed. */
const changeable: ReadonlySet<string> = new Set([
  'data',
  'base',
  'steps',
  'epochs',
  'valData',
  'evalEvery',
  'evalBatches',
  'patience',
  'saveEvery',
  'logEvery',
] satisfies (keyof CommonConfig)[])

/** Applies changes to the configuration of a run. A new task or optimizer replaces the options of the old one. */
export function withChanges(
  saved: TrainConfig,
  changes: Readonly<Record<string, unknown>>,
): Options {
  const replaced = replacedOptions(saved, { ...saved, ...changes })
  // `steps` has precedence over `epochs`, so a changed `epochs` removes `steps`.
  if (changes.steps === undefined && changes.epochs !== undefined) replaced.add('steps')
  const kept = Object.entries(saved).filter(([key]) => !replaced.has(key))
  return { ...Object.fromEntries(kept), ...changes }
}

/** @throws HeedError if the configuration of a resumed run differs in keys that must not change */
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
    `The configuration must match the run ${run}:\n${list.join('\n')}`,
    {
      key,
      value: config[key],
      expected: shown(saved[key]),
      remedy: 'Omit these options to resume, or start a new run with another `out`.',
    },
  )
}

/** Options of `saved` that do not apply to `next`, because its task or optimizer differs. */
function replacedOptions(saved: TrainConfig, next: Options): Set<string> {
  const task = next.task === saved.task ? {} : taskOptions(saved)
  const optimizer = next.optimizer === saved.optimizer ? {} : optimizerOptions(saved)
  return new Set(Object.keys({ ...task, ...optimizer }))
}
