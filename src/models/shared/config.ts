// The keys of a config.json: what they may be, and what other families call them.

import { z } from 'zod'
import { activationNames } from '../../nn/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { divisorsNear } from '../../util/divisors.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { schemaProblems } from '../../util/schema-issues.ts'
import { type UnreadKeys, warnOfUnreadKeys } from '../../util/unread-keys.ts'
import { warn } from '../../util/warn.ts'
import { generalKeys, generationKeys } from './config-keys.ts'

/** A width or a count. The limit keeps a hostile config from building for hours. */
export const dimension = z
  .int()
  .min(1)
  .max(2 ** 24)

/** Layers and heads. */
export const layerCount = z.int().min(1).max(4096)

export const probability = z.number().min(0).max(1)

/** What is added to a variance. */
export const epsilon = z.number().min(0)

/** The deviation of first weights; 0 and negative numbers are valid in transformers. */
export const deviation = z.number()

/** The id of a special token; null: there is none. */
export const tokenId = z.int().nullable()

/** A key whose value transformers does not check, but uses as a condition: by the truth of Python. */
export const truth = z
  .unknown()
  .transform(
    (value) => Boolean(value) && JSON.stringify(value) !== '[]' && JSON.stringify(value) !== '{}',
  )

/** The name of an activation function. */
export const activation = z.enum(activationNames, {
  error: ({ input }) =>
    input === 'prelu' || input === 'xielu'
      ? `'${input}' has parameters that are learnt, which is not supported; use one of ${activationNames.join(', ')}`
      : undefined,
})

/** The ids that end a text: one, several or none. */
export const eosTokenId = z.union([z.int(), z.array(z.int()).max(64)]).nullable()

/**
 * For lists with a value for each layer; a config without the list passes.
 * @throws HeedError that names the list
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
  /** Heed's own are functions, called when a config is first read: a start does not pay for all families. */
  readonly schema: z.ZodType<C> | (() => z.ZodType<C>)
  /** Other names of keys, as `attribute_map` in transformers has them: `hidden_size` -> `n_embd`. */
  readonly aliases: Readonly<Record<string, string>>
  /** Keys of published configs that this family does not read, and the values with which they change nothing. */
  readonly unread?: UnreadKeys
  /** Leaves out keys that others override, before anything is checked. */
  prepare?(raw: object): object
  /** Checks what a schema cannot express, and fills in values that depend on others. */
  complete?(config: C): C
}

/** The rules of a layer that is used by itself: its config is that of the family, whose values are checked before. */
export const wholeConfig = {
  check: (owner: string, config: unknown) => checkArgument(owner, 'config', config, 'record'),
}

export const schemaOf = <C extends object>({
  schema,
}: Pick<ConfigFormat<C>, 'schema'>): z.ZodType<C> =>
  typeof schema === 'function' ? schema() : schema

/**
 * A complete config, with defaults for missing keys. Keys that are not supported cause one warning.
 * @throws HeedError that names each key with a value that it cannot have
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
  warnOfUnreadKeys(named, (key) => Object.hasOwn(config, key), known, title)
  return complete ? complete(config) : config
}

/** An alias takes precedence over the key, as in transformers. */
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
        `${title}: ${alias} (${shown(value)}) of the config takes precedence over ${key} (${shown(other)}).`,
      )
    config[key] = value
  }
  return config
}

/**
 * A config as its schema has it, with defaults for missing keys.
 * @throws HeedError that names each key with a value that it cannot have
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
    // Messages of a schema's own, such as those for activation functions, are sentences.
    if (!/^(Invalid|Too )/.test(message))
      return [{ key: path.join('.'), message: `\`${path.join('.')}\`: ${message}` }]
    return schemaProblems([issue], raw, [])
  })
  const lines = problems.map(({ message }) => `  ${message}`)
  throw new HeedError(
    'invalid-config',
    `The config of ${title} has values that its keys cannot have:\n${lines.join('\n')}`,
    { key: problems[0].key, remedy: 'Correct these keys.' },
  )
}

/**
 * The config, for values that must divide another: `checkDivides(config, 'n_head', 'n_embd', 'GPT-2')`.
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
