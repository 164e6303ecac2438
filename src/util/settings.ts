// Reads and checks settings from environment variables. An empty variable counts as unset.
import { invalidOption } from './errors.ts'
import { nearestFirst } from './nearest.ts'
import { warn } from './warn.ts'

const SETTINGS = [
  'HEED_DEVICE', // the device that computes
  'HEED_ISA', // the instruction set of the kernels
  'HEED_THREADS', // the number of threads
  'HEED_MEMORY', // the memory that tensors may take
  'HEED_CACHE', // the folder of the cache
  'HEED_ADDON', // the file of the native addon
  'HEED_DEBUG', // 1 records where each tensor was made
  'HEED_NICE', // the priority of compute threads, as for nice
] as const
type SettingName = (typeof SETTINGS)[number]

/** Variables for the scripts, tests and benchmarks of this repository only. */
const OF_SCRIPTS = [
  'HEED_AGAINST',
  'HEED_KERNEL_SERVER',
  'HEED_ZIG',
  'HEED_LONG',
  'HEED_MINILM',
  'HEED_NODE',
  'HEED_PYTHON',
  'HEED_SMOLLM2',
  'HEED_SOAK',
  'HEED_SWEEP',
]

/** The value of a variable; undefined if it is unset or empty, and in browsers. */
export function setting(name: SettingName): string | undefined {
  return globalThis.process?.env?.[name] || undefined
}

/**
 * HEED_MEMORY in bytes: a whole number, or a number with a unit (20MB, 1.5 GiB).
 * @throws HeedError for anything else
 */
export function memorySetting(): number | undefined {
  const text = setting('HEED_MEMORY')
  if (text === undefined) return undefined
  const { number, unit = 'B' } = AMOUNT.exec(text)?.groups ?? {}
  const bytes = Math.floor(Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN))
  if (bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER) return bytes
  throw invalidOption({
    key: 'HEED_MEMORY',
    value: text,
    expected: 'a positive number of bytes, or a number with a unit such as 500MB or 2GiB',
    remedy: 'Unset HEED_MEMORY to use the memory of the machine.',
  })
}

const AMOUNT = /^\s*(?<number>\d{1,16}(?:\.\d{1,9})?)\s*(?<unit>[KMGT]?i?B)?\s*$/i
const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
}

/** HEED_THREADS. @throws HeedError unless it is a whole number from 1 to 1024 */
export const threadsSetting = (): number | undefined =>
  wholeNumber('HEED_THREADS', 1, 1024, 'Unset HEED_THREADS to use all cores.')

/**
 * Checks the values that do not depend on the machine, and warns about unknown variables. HEED_DEVICE and HEED_ISA are
 * checked when a device is opened, HEED_CACHE when the cache is used.
 * @throws HeedError for the first invalid value
 */
export function checkSettings(): void {
  memorySetting()
  threadsSetting()
  wholeNumber('HEED_NICE', -20, 19, 'Unset HEED_NICE to compute at priority 5.')
  const debug = setting('HEED_DEBUG')
  if (debug !== undefined && debug !== '0' && debug !== '1')
    throw invalidOption({
      key: 'HEED_DEBUG',
      value: debug,
      expected: '0 or 1',
      remedy: 'Set HEED_DEBUG to 1 for errors that name the line where a tensor was created.',
    })
  warnUnknown()
}

/** Warns about each unknown HEED_ variable, such as HEED_THREAD, with the most similar name. */
function warnUnknown(): void {
  const known: readonly string[] = [...SETTINGS, ...OF_SCRIPTS]
  for (const name of Object.keys(globalThis.process?.env ?? {})) {
    if (!name.startsWith('HEED_') || known.includes(name)) continue
    const [near] = nearestFirst(name, SETTINGS)
    const all = SETTINGS.join(', ')
    warn(`${name} is not a setting and has no effect. Did you mean ${near}? Settings are ${all}.`)
  }
}

function wholeNumber(
  name: SettingName,
  least: number,
  most: number,
  remedy: string,
): number | undefined {
  const text = setting(name)
  if (text === undefined) return undefined
  const value = /^\s*-?\d{1,9}\s*$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw invalidOption({
    key: name,
    value: text,
    expected: `a whole number from ${least} to ${most}`,
    remedy,
  })
}
