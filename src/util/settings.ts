// Reads and checks settings from environment variables. An empty variable counts as unset.
import { invalidOption } from './errors.ts'
import { nearestFirst } from './nearest.ts'
import { warn } from './warn.ts'

interface Variable {
  /** A noun phrase. */
  readonly about: string
  readonly values: string
  readonly fallback: string
}

/** Heed's own variables. The documentation lists this table. */
export const SETTINGS = {
  HEED_DEVICE: {
    about: 'device that computes',
    values: '`cpu`, `wasm`, `reference` or a registered name',
    fallback: 'the first of these that works',
  },
  HEED_ISA: {
    about: 'instruction set of the kernels',
    values:
      '`avx512`, `avx2` or `baseline` on x86-64, `neon` on Arm, `relaxed` or `simd128` in WebAssembly',
    fallback: 'the best one of the processor',
  },
  HEED_THREADS: {
    about: 'number of threads that compute, and that encode data',
    values: 'a whole number from 1 to 1024',
    fallback: 'the number of cores that the process may use',
  },
  HEED_MEMORY: {
    about: 'memory that tensors may use',
    values: 'bytes, or a number with a unit, such as `4GB` or `512MiB`',
    fallback: 'the memory of the machine or container',
  },
  HEED_NICE: {
    about: 'priority of the threads that compute, as for `nice`',
    values: 'a whole number from -20 to 19; on Windows, any number above 0 means "below normal"',
    fallback: '5',
  },
  HEED_DEBUG: {
    about: 'whether errors name the line of your code that created a tensor',
    values: '`0` or `1`',
    fallback: '`0`',
  },
  HEED_ADDON: {
    about: 'native addon to load',
    values: 'the path of a `.node` file',
    fallback: 'the addon compiled here, or the prebuilt one of this system',
  },
  HEED_CACHE: {
    about: 'folder for data that can be computed again, such as encoded examples',
    values: 'a path',
    fallback: '`~/.cache/heed`, on Windows `%LOCALAPPDATA%\\heed`',
  },
} as const satisfies Record<string, Variable>
type SettingName = keyof typeof SETTINGS

/** Variables of other programs that Heed follows, too. */
export const FOLLOWED = {
  HF_TOKEN: {
    about: 'access token of the Hugging Face hub',
    values: 'a token, which begins with `hf_`',
    fallback: 'none: only public models',
  },
  HF_ENDPOINT: {
    about: 'address of the hub or of a mirror',
    values: 'a URL',
    fallback: '`https://huggingface.co`',
  },
  HF_HUB_OFFLINE: {
    about: 'whether downloads are refused',
    values: '`1` or `0`',
    fallback: '`0`',
  },
  NO_COLOR: {
    about: 'whether output has no colours',
    values: 'any text',
    fallback: 'colours on a terminal',
  },
  FORCE_COLOR: {
    about: 'whether output has colours even if it is not a terminal',
    values: 'any text; `0` or `false` for no colours',
    fallback: 'colours on a terminal',
  },
  TERM: {
    about: 'type of the terminal',
    values: '`dumb` for one that cannot redraw lines',
    fallback: 'set by the terminal',
  },
  XDG_CACHE_HOME: {
    about: 'folder of caches, in which Heed uses `heed`',
    values: 'a path',
    fallback: '`~/.cache`',
  },
  LOCALAPPDATA: {
    about: 'folder of caches on Windows',
    values: 'a path',
    fallback: '`AppData\\Local` in the home folder',
  },
  CXX: {
    about: 'C++ compiler of `heed build`',
    values: 'a command',
    fallback: '`g++`, `clang++` or `c++`, the first that works',
  },
} as const satisfies Record<string, Variable>

/** Variables for the scripts, tests and benchmarks of this repository only. */
const OF_SCRIPTS = [
  'HEED_CHROMIUM',
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
  const names = Object.keys(SETTINGS)
  const known: readonly string[] = [...names, ...OF_SCRIPTS]
  for (const name of Object.keys(globalThis.process?.env ?? {})) {
    if (!name.startsWith('HEED_') || known.includes(name)) continue
    const [near] = nearestFirst(name, names)
    const all = names.join(', ')
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
