import { isPlain } from './check-keys.ts'
import { type HeedError, invalidOption } from './errors.ts'

/** Name of a check for an argument. */
export type ArgumentKind = keyof typeof kinds

const whole = (value: unknown): value is number => Number.isSafeInteger(value)

/** Checks with their nouns for messages. */
export const kinds = {
  any: ['any value', () => true],
  tensor: ['a tensor', (value: unknown) => typeof value === 'object' && value !== null && 'node' in value], // biome-ignore format: one line
  number: ['a number', (value: unknown) => typeof value === 'number'],
  amount: ['a finite number >= 0', (value: unknown) => Number.isFinite(value) && Number(value) >= 0], // biome-ignore format: one line
  finite: ['a finite number', (value: unknown) => Number.isFinite(value)],
  integer: ['a whole number', whole],
  count: ['a whole number >= 0', (value: unknown) => whole(value) && value >= 0],
  size: ['a whole number >= 1', (value: unknown) => whole(value) && value >= 1],
  share: ['a number from 0 to 1', (value: unknown) => Number(value) >= 0 && Number(value) <= 1 && typeof value === 'number'], // biome-ignore format: one line
  text: ['a string', (value: unknown) => typeof value === 'string'],
  flag: ['true or false', (value: unknown) => typeof value === 'boolean'],
  list: ['an array', (value: unknown) => Array.isArray(value)],
  numbers: ['an array of numbers', (value: unknown) => isListOf(value, (x) => typeof x === 'number')], // biome-ignore format: one line
  texts: ['an array of strings', (value: unknown) => isListOf(value, (x) => typeof x === 'string')],
  lists: [
    'an array of arrays',
    (value: unknown) => isListOf(value, (x) => isListOf(x, () => true)),
  ],
  numberLists: ['an array of arrays of numbers', (value: unknown) => isListOf(value, (x) => isListOf(x, (y) => typeof y === 'number'))], // biome-ignore format: one line
  textLists: ['an array of arrays of strings', (value: unknown) => isListOf(value, (x) => isListOf(x, (y) => typeof y === 'string'))], // biome-ignore format: one line
  textOrList: ['a string or an array of strings', (value: unknown) => typeof value === 'string' || isListOf(value, (x) => typeof x === 'string')], // biome-ignore format: one line
  floats: ['a Float32Array', (value: unknown) => value instanceof Float32Array],
  bytes: ['a Uint8Array', (value: unknown) => value instanceof Uint8Array],
  paths: ['a path, or an array of one or more paths', (value: unknown) => typeof value === 'string' || isPathList(value)], // biome-ignore format: one line
  pathList: ['an array of one or more paths', (value: unknown) => isPathList(value)],
  collection: ['an array, or another collection with `length` and `at`', (value: unknown) => hasMethod(value, 'at') && whole(Reflect.get(Object(value), 'length'))], // biome-ignore format: one line
  iterable: ['a list or another iterable', (value: unknown) => typeof value === 'object' && value !== null && Symbol.iterator in value], // biome-ignore format: one line
  stream: ['a list or another iterable, also an asynchronous one', (value: unknown) => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value)], // biome-ignore format: one line
  objects: ['an array of objects', (value: unknown) => isListOf(value, (x) => typeof x === 'object' && x !== null)], // biome-ignore format: one line
  record: ['a plain object', isPlain],
  factors: ['an array of strings, or an object of finite numbers', (value: unknown) => isListOf(value, (x) => typeof x === 'string') || (isPlain(value) && Object.values(value).every((x) => Number.isFinite(x)))], // biome-ignore format: one line
  textRecord: ['an object of strings', (value: unknown) => isPlain(value) && Object.values(value).every((x) => typeof x === 'string')], // biome-ignore format: one line
  function: ['a function', (value: unknown) => typeof value === 'function'],
  stepModel: ['a step model, such as a BatchDecoder', (value: unknown) => hasMethod(value, 'start') && hasMethod(value, 'next')], // biome-ignore format: one line
  model: ['a model', (value: unknown) => hasMethod(value, 'forward')],
  tokenizer: ['a tokenizer', (value: unknown) => hasMethod(value, 'encode')],
  object: ['an object', (value: unknown) => typeof value === 'object' && value !== null],
} as const satisfies Record<string, readonly [string, (value: unknown) => boolean]>

/**
 * Checks an argument, for calls from untyped code.
 * @throws HeedError "linspace: `count` must be a whole number >= 0, got undefined"
 */
export function checkArgument(
  owner: string,
  key: string,
  value: unknown,
  kind: ArgumentKind,
): void {
  const [expected, fits] = kinds[kind]
  if (!fits(value)) throw wrongArgument(owner, key, value, expected)
}

/** `checkArgument` for several arguments of one kind. */
export function checkArguments(
  owner: string,
  values: Readonly<Record<string, unknown>>,
  kind: ArgumentKind,
): void {
  for (const key in values) checkArgument(owner, key, values[key], kind)
}

/** The error for an invalid argument. */
export const wrongArgument = (
  owner: string,
  key: string,
  value: unknown,
  expected: string,
  remedy?: string,
): HeedError => invalidOption({ key, value, expected, remedy, owner })

export const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function'

const isPathList = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && isListOf(value, (x) => typeof x === 'string')

function isListOf(value: unknown, fits: (item: unknown) => boolean): boolean {
  if (ArrayBuffer.isView(value)) return fits(0)
  if (!Array.isArray(value)) return false
  for (let i = 0; i < value.length; i++) if (!fits(value[i])) return false
  return true
}
