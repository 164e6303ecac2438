// Schemas for the keys of config.json, and their names in other families.

import { z } from 'zod'
import { activationNames } from '../../nn/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { divisorsNear } from '../../util/divisors.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { schemaProblems } from '../../util/schema-issues.ts'
import { type UnreadKeys, warnOfUnreadKeys } from '../../util/unread-keys.ts'
import { warn } from '../../util/warn.ts'
import { generalKeys, generationKeys } from './config-keys.ts'

/** A width or a count. The limit prevents malicious configs from allocating for hours. */
export const dimension = z
  .int()
  .min(1)
  .max(2 ** 24)

/** Number of layers or heads. */
export const layerCount = z.int().min(1).max(4096)

/** A probability. */
export const probability = z.number().min(0).max(1)

/** A term added to a variance. */
export const epsilon = z.number().min(0)

/** Standard deviation of initial weights. transformers accepts 0 and negative numbers. */
export const deviation = z.number()

/** Id of a special token; null if there is none. */
export const tokenId = z.int().nullable()

/** A key that transformers uses as a condition without checking it, with Python's truth value. */
export const truth = z
  .unknown()
  .transform(
    (value) => Boolean(value) && JSON.stringify(value) !== '[]' && JSON.stringify(value) !== '{}',
  )

/** Name of an activation function. */
export const activation = z.enum(activationNames, {
  error: ({ input }) =>
    input === 'prelu' || input === 'xielu'
      ? `'${input}' has trainable parameters, which is not supported; use one of ${activationNames.join(', ')}`
      : undefined,
})

/** Ids that end a text: one, several or none. */
export const eosTokenId = z.union([z.int(), z.array(z.int()).max(64)]).nullable()

/**
 * Checks a list with a value per layer. Returns the config; the list may be missing.
 * @throws HeedError that names the list if it is too short
 */
export function checkLayerList<C extends { num_hidden_layers: number }, K extends keyof C & string>(
  config: C,
  key: K,
  title: string,
): C {
  const list = config[key]
  const { num_hidden_layers: count } = config
  if (!Array.isArray(list) || list.length >= count) return config
  throw new HeedError(
    'invalid-config',
    `${title}: ${key} must have a value for each of the ${count} layers, got ${list.length}`,
    { key, value: list.length, remedy: `Complete ${key}, or remove it.` },
  )
}

/** How a family reads its config.json. */
export interface ConfigFormat<C extends object> {
  /** Schema of the config. Built-in families use functions, which are called on first use, to keep start-up fast. */
  readonly schema: z.ZodType<C> | (() => z.ZodType<C>)
  /** Aliases of keys, as in `attribute_map` of transformers: `hidden_size` -> `n_embd`. */
  readonly aliases: Readonly<Record<string, string>>
  /** Keys of published configs that this family does not read, with the values that have no effect. */
  readonly unread?: UnreadKeys
  /** Removes keys that others override, before validation. */
  prepare?(raw: object): object
  /** Checks rules that a schema cannot express, and fills in values that depend on other keys. */
  complete?(config: C): C
}

/** Rules for a layer that is used separately. Its config is that of the family, which is already validated. */
export const wholeConfig = {
  check: (owner: string, config: unknown) => checkArgument(owner, 'config', config, 'record'),
}

/** The schema of a config, which may be given as a function. */
export const schemaOf = <C extends object>({
  schema,
}: Pick<ConfigFormat<C>, 'schema'>): z.ZodType<C> =>
  typeof schema === 'function' ? schema() : schema

/**
 * Validates a config and fills in defaults. Keys that are not supported cause a warning.
 * @throws HeedError that names each key with an invalid value
 */
export function readConfig<C extends object>(
  { schema, aliases, unread = {}, prepare, complete }: ConfigFormat<C>,
  raw: object,
  title: string,
): C {
  checkArgument(title, 'config', raw, 'record')
  const named = withoutAliases(prepare?.(raw) ?? raw, aliases, title)
  const config = parseConfig(schemaOf({ schema }), named, title)
  const known = { ...generalKeys, ...generationKeys, ...unread }
  const isRead = (key: string): boolean => Object.hasOwn(config, key)
  warnOfUnreadKeys(named, isRead, known, title, Object.keys(config))
  return complete ? complete(config) : config
}

/** Replaces aliases. As in transformers, an alias takes precedence over the key. */
function withoutAliases(
  raw: object,
  aliases: Readonly<Record<string, string>>,
  title: string,
): object {
  const config: Record<string, unknown> = { ...raw }
  for (const [alias, key] of Object.entries(aliases)) {
    const { [alias]: value, [key]: other } = config
    delete config[alias]
    if (value === undefined || value === null) continue
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(value))
      warn(
        `${title}: ${alias} (${shown(value)}) in the config takes precedence over ${key} (${shown(other)}).`,
      )
    config[key] = value
  }
  return config
}

/**
 * Validates a config against its schema and fills in defaults.
 * @throws HeedError that names each key with an invalid value
 */
export function parseConfig<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  title: string,
): z.output<S> {
  const result = schema.safeParse(raw, { jitless: true })
  if (result.success) return result.data
  const problems = result.error.issues.flatMap((issue) => {
    const { path, message } = issue
    // Custom messages of a schema, such as those for activation functions, are complete sentences.
    if (!/^(Invalid|Too )/.test(message))
      return [{ key: path.join('.'), message: `\`${path.join('.')}\`: ${message}` }]
    return schemaProblems([issue], raw, [])
  })
  const lines = problems.map(({ message }) => `  ${message}`)
  throw new HeedError(
    'invalid-config',
    `The config of ${title} must have valid values, got these problems:\n${lines.join('\n')}`,
    { key: problems[0].key, remedy: 'Correct these keys.' },
  )
}

/**
 * Checks that one key divides another: `checkDivides(config, 'n_head', 'n_embd', 'GPT-2')`. Returns the config.
 * @throws HeedError with the nearest divisors
 */
export function checkDivides<C extends object, K extends keyof C & string>(
  config: C,
  divisorKey: K,
  key: K,
  title: string,
): C {
  const [divisor, value] = [Number(config[divisorKey]), Number(config[key])]
  if (value % divisor === 0) return config
  throw new HeedError(
    'invalid-config',
    `${title}: ${divisorKey} must divide ${key} (${value}), got ${divisor}`,
    {
      key: divisorKey,
      value: divisor,
      expected: `a divisor of ${key} (${value})`,
      try: { [divisorKey]: divisorsNear(value, divisor) },
    },
  )
}
