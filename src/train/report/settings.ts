// The settings of a run: those that differ from the defaults, and all.
import { flagOf } from '../../util/flag-of.ts'
import { parseTrainConfig } from '../config.ts'
import { commonSchema, type TrainConfig } from '../config-schema.ts'
import type { Options } from '../task.ts'
import { usualTask } from '../tasks/index.ts'

/** A setting of a run. */
export interface Setting {
  key: string
  /** The flag of heed train; for the model, its argument. */
  flag: string
  value: unknown
  /** The value without this setting; undefined if there is none. */
  default: unknown
  isChanged: boolean
}

/** The settings of a run in the order of the help. */
export function settingsOf(config: TrainConfig): Setting[] {
  const defaults = defaultsOf(config)
  return Object.keys(config)
    .filter((key) => config[key] !== undefined)
    .map((key) => ({
      key,
      flag: key === 'model' ? 'MODEL' : flagOf(key),
      value: config[key],
      default: defaults[key],
      isChanged: JSON.stringify(config[key]) !== JSON.stringify(defaults[key]),
    }))
}

/** The values of a run with the same model, task and optimizer, and no other settings. */
function defaultsOf({ data, model, task, optimizer, from }: TrainConfig): Options {
  const { shape } = commonSchema
  const chosen = { model, task, optimizer, ...(from !== undefined && { from }) }
  return {
    ...parseTrainConfig({ data, ...chosen }),
    data: undefined,
    from: undefined,
    model: shape.model.parse(undefined),
    task: usualTask(model),
    optimizer: shape.optimizer.parse(undefined),
  }
}

/** A value as it is written on the command line. */
export function settingText(value: unknown): string {
  if (value === undefined || value === null) return '–'
  if (value === '') return '""'
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(settingText).join(' ')
  return JSON.stringify(value)
}
