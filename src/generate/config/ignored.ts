import { GENERATION_KEYS } from '../../models/index.ts'
import { warn } from '../../util/warn.ts'

/** The keys of a generation_config.json that affect generated text in transformers but not in Heed. */
export function ignoredKeys(json: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(json)
    .filter(([key, value]) => value !== null && value !== undefined && isIgnored(key, value))
    .map(([key]) => key)
}

function isIgnored(key: string, value: unknown): boolean {
  if (!Object.hasOwn(GENERATION_KEYS, key)) return true
  const answer = GENERATION_KEYS[key]
  return typeof answer === 'object' && !answer.harmless.includes(value)
}

const warned = new WeakMap<object, Set<string>>()

/** Warns about ignored settings, once for each model and setting. */
export function warnIgnored(model: object, keys: readonly string[]): void {
  const before = warned.get(model) ?? new Set()
  const fresh = [...new Set(keys)].filter((key) => !before.has(key))
  if (fresh.length === 0) return
  warned.set(model, new Set([...before, ...fresh]))
  const verb = fresh.length > 1 ? 'are' : 'is'
  warn(`${fresh.join(', ')} of generation_config.json ${verb} not supported and ignored.`)
}
