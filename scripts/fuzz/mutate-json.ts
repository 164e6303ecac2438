import type { Dice } from './dice.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateText } from './mutate-text.ts'

/** Changes one to three things in a JSON text: the type of a value, a key, the depth, the order, a repetition. */
export function mutateJson(value: unknown, dice: Dice): string {
  const root: Slot = { parent: { root: structuredClone(value) }, key: 'root' }
  let last = (text: string): string => text
  for (let i = dice.size(3); i > 0; i--) {
    const slots = slotsIn(root)
    const change = dice.pick(CHANGES)
    const texts = change === editText ? slots.filter(isText) : []
    last = change(dice.pick(texts.length > 0 ? texts : slots), dice, slots)
  }
  return last(JSON.stringify(root.parent.root) ?? '')
}

/** The position of a value. */
interface Slot {
  parent: Record<string, unknown>
  key: string
}

const isText = ({ parent, key }: Slot): boolean => typeof parent[key] === 'string'

/** Changes the value in a slot. May return a change of the text, for results that JSON.stringify does not write. */
type Change = (slot: Slot, dice: Dice, slots: readonly Slot[]) => (text: string) => string

const same = (text: string): string => text

/** Keys with a meaning in JavaScript. */
const PROTOTYPE_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'length',
  'then',
  'toJSON',
  '',
]

const setValue: Change = ({ parent, key }, dice) => {
  parent[key] = structuredClone(dice.pick(VALUES)) // later changes must not modify VALUES
  return same
}

/** A number that is slightly or very different. */
const setNumber: Change = ({ parent, key }, dice) => {
  const value = parent[key]
  const factors = [-1, 0, 2, 0.5, 1000, 1e6, 1e9, 1e300]
  parent[key] =
    typeof value === 'number'
      ? dice.chance(0.5)
        ? value + dice.pick([-1, 1, 0.5])
        : value * dice.pick(factors)
      : dice.pick(NUMBERS)
  return same
}

/** Changes a string, or its encoded bytes. */
const editText: Change = ({ parent, key }, dice, slots) => {
  const value = parent[key]
  if (typeof value !== 'string' || value.length > 100_000) return same
  if (value.length > 40 && /^[A-Za-z0-9+/]+={0,2}$/.test(value)) {
    const bytes = mutateBytes(new Uint8Array(Buffer.from(value, 'base64')), new Uint8Array(0), dice)
    parent[key] = Buffer.from(bytes).toString('base64')
  } else parent[key] = mutateText(value, dice.pick(slots).key, PATTERN_WORDS, dice)
  return same
}

/** Syntax of regular expressions and templates, which many strings in settings contain. */
const PATTERN_WORDS = [
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '*',
  '+',
  '?',
  '|',
  '\\p{L}',
  '\\',
  '{1,9999}',
  '$A',
  '{{',
  '^',
]

const remove: Change = ({ parent, key }) => {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
  return same
}

/** A value from elsewhere in the document. */
const copyOther: Change = ({ parent, key }, dice, slots) => {
  const other = dice.pick(slots)
  const value = other.parent[other.key]
  if (sizeOf(value) < MOST_NODES) parent[key] = structuredClone(value)
  return same
}

const rename: Change = ({ parent, key }, dice, slots) => {
  if (Array.isArray(parent)) return same
  const value = parent[key]
  delete parent[key]
  define(parent, dice.chance(0.6) ? dice.pick(PROTOTYPE_KEYS) : dice.pick(slots).key, value)
  return same
}

const addKey: Change = ({ parent, key }, dice) => {
  const target = parent[key]
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return same
  define(
    target as Record<string, unknown>,
    dice.pick(PROTOTYPE_KEYS),
    structuredClone(dice.pick(VALUES)),
  )
  return same
}

const repeatItems: Change = ({ parent, key }, dice) => {
  const value = parent[key]
  if (Array.isArray(value) && value.length > 0 && sizeOf(value) < 50)
    parent[key] = Array.from({ length: dice.size(200) }, () => structuredClone(value)).flat()
  else if (typeof value === 'string') parent[key] = value.repeat(Math.min(dice.size(500), 50_000 / (value.length + 1))) // biome-ignore format: one line
  return same
}

const wrap: Change = ({ parent, key }, dice) => {
  const value = parent[key]
  parent[key] = dice.pick([[value], { value }, [[value]], JSON.stringify(value), [value, value]])
  return same
}

/** Nested deeper than the call stack allows. */
const nest: Change = ({ parent, key }, dice) => {
  const mark = 'HERE-IS-A-DEEP-VALUE'
  parent[key] = mark
  const depth = dice.pick([50, 200, 300, 5000, 100_000])
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ])
  return (text) => text.replace(`"${mark}"`, `${open.repeat(depth)}0${close.repeat(depth)}`)
}

/** Values that JSON.parse refuses or changes: NaN, infinities, long numbers, lone surrogates. */
const writeRaw: Change = ({ parent, key }, dice) => {
  const mark = 'HERE-IS-A-RAW-VALUE'
  parent[key] = mark
  const raw = dice.pick(['NaN', '-Infinity', 'Infinity', '1e999', '-0', '0.1e-400', '9'.repeat(400), '"\\ud800"', '"\\u0000"', 'tru', '']) // biome-ignore format: one line
  return (text) => text.replace(`"${mark}"`, raw)
}

/** Repeats a key. */
const repeatKey: Change = ({ parent, key }, dice) => {
  if (Array.isArray(parent)) return same
  const name = JSON.stringify(key)
  return (text) => text.replace(`${name}:`, `${name}:${JSON.stringify(dice.pick(VALUES))},${name}:`)
}

const NUMBERS = [0, -1, 1, 2, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21, 1e308, 1e-320]

const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  '',
  'x',
  '0',
  '1e3',
  'null',
  '\u0000',
  '\ud83d',
  '../../x',
  'é̀\u200d😀',
  '(?:a|a)*b',
  '((((',
  '[',
  '{{ x }}',
  'a'.repeat(10_000),
  [],
  {},
  [null],
  [[]],
  [1, 'x', null],
  { type: 'Sequence' },
  { a: { b: [] } },
  ...NUMBERS,
]

const CHANGES: readonly Change[] = [
  editText,
  editText,
  editText,
  setValue,
  setValue,
  setValue,
  setNumber,
  setNumber,
  remove,
  remove,
  copyOther,
  copyOther,
  rename,
  addKey,
  repeatItems,
  wrap,
  nest,
  writeRaw,
  repeatKey,
]

const MOST_NODES = 5000

/** In large documents, only slots on a random path are considered. */
function slotsIn(root: Slot): Slot[] {
  const slots: Slot[] = [root]
  for (let i = 0; i < slots.length && slots.length < MOST_NODES; i++) {
    const value = slots[i].parent[slots[i].key]
    if (typeof value !== 'object' || value === null) continue
    const keys = Object.keys(value)
    // A vocabulary has thousands of entries of one kind; settings have few.
    const kept = keys.length > 60 ? [...keys.slice(0, 30), ...keys.slice(-30)] : keys
    for (const key of kept) slots.push({ parent: value as Record<string, unknown>, key })
  }
  return slots
}

function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let size = 1
  for (const part of Object.values(value)) {
    size += sizeOf(part)
    if (size > MOST_NODES) break
  }
  return size
}

/** Sets a key, including `__proto__`, as an own property. */
function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}
