// Rewards by name, for the command line.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, shown } from '../util/errors.ts'
import { unknownName } from '../util/registry.ts'
import { exactMatch, numberMatch } from './expected.ts'
import { jsonSchemaMatch, lengthReward, patternMatch } from './form.ts'
import type { Reward } from './reward.ts'

/** A reward with its options. */
interface Named<O extends z.ZodObject> {
  about: string
  options: O
  create(options: z.output<O>): Reward
}
const named = <O extends z.ZodObject>(about: string, options: O, create: Named<O>['create']) => ({
  about,
  /** @throws HeedError for invalid options */
  create: (given: Readonly<Record<string, string>>): Reward => create(parsed(options, given)),
})

const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
const column = z.string().default('answer')
const rewards = new Map(
  Object.entries({
    'exact-match': named(
      '1 for the answer in `column` (answer)',
      z.strictObject({ column, caseSensitive: flag.default(true) }),
      exactMatch,
    ),
    number: named(
      '1 if the last number is that in `column` (answer), within `tolerance` (0)',
      z.strictObject({ column, tolerance: z.coerce.number().min(0).default(0) }),
      numberMatch,
    ),
    pattern: named(
      '1 for answers that match the regular expression `pattern` as a whole',
      z.strictObject({ pattern: z.string() }),
      ({ pattern }) => patternMatch(pattern),
    ),
    'json-schema': named(
      '1 for JSON of the schema in `file`',
      z.strictObject({ file: z.string() }),
      ({ file }) => jsonSchemaMatch(schemaIn(file)),
    ),
    length: named(
      '0 up to `max` characters, falling to -1 at `over` more',
      z.strictObject({ max: z.coerce.number(), over: z.coerce.number().optional() }),
      lengthReward,
    ),
  }),
)

/** The names of the rewards, with a description of each. */
export const rewardNames = (): { name: string; about: string }[] =>
  [...rewards].map(([name, { about }]) => ({ name, about }))

const checkParse = argumentKinds('parseReward', { text: 'text' })

/**
 * Creates a reward from a text such as `exact-match`, `number:column=total,tolerance=0.5` or `pattern:pattern=\d+`.
 * @throws HeedError for an unknown name, with the most similar names, and for unknown or invalid options
 */
export function parseReward(text: string): Reward {
  checkParse(text)
  const [, name = '', rest = ''] = /^\s*([^:]*?)\s*(?::(.*))?$/s.exec(text) ?? []
  const reward = rewards.get(name)
  if (!reward) throw unknownName('reward', name, [...rewards.keys()], 'reward')
  return reward.create(optionsIn(rest, text))
}

/** Reads `key=value,key=value`. A comma before another key separates; others belong to the value. */
function optionsIn(rest: string, text: string): Record<string, string> {
  if (rest.trim() === '') return {}
  const pairs = rest.split(/,(?=[A-Za-z]+=)/).map((part) => {
    const at = part.indexOf('=')
    if (at > 0) return [part.slice(0, at).trim(), part.slice(at + 1)]
    throw new HeedError('invalid-option', `\`reward\` must have options as key=value, got ${shown(part)} in ${shown(text)}`, {
      key: 'reward',
      value: text,
      remedy: 'Write it like number:tolerance=0.1.',
    }) // biome-ignore format: one line
  })
  return Object.fromEntries(pairs)
}

function parsed<O extends z.ZodObject>(
  schema: O,
  given: Readonly<Record<string, string>>,
): z.output<O> {
  const result = schema.safeParse(given)
  if (result.success) return result.data
  const [{ path, message }] = result.error.issues
  const key = String(path[0] ?? 'reward')
  const isMissing = Object.hasOwn(schema.shape, key) && !Object.hasOwn(given, key)
  const wrong = isMissing
    ? `The reward must have the option ${key}, got none`
    : Object.hasOwn(given, key)
      ? `The option ${key} of the reward must be valid, got ${shown(given[key])}: ${message}`
      : `The options of the reward must be valid: ${message}`
  throw new HeedError('invalid-option', wrong, {
    key,
    value: given[key] ?? Object.keys(given).join(),
    remedy: `Its options are ${Object.keys(schema.shape).join(' and ')}.`,
  })
}

function schemaIn(file: string): object {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new HeedError('invalid-option', `\`file\` must be a file with a JSON schema, got ${shown(file)}`, {
      key: 'file',
      value: file,
      cause,
      remedy: `Check the path and the file: ${cause instanceof Error ? cause.message : cause}`,
    }) // biome-ignore format: one line
  }
}
