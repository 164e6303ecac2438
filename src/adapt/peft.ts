// The settings of adapters in files of peft: adapter_config.json.
import { join } from 'node:path'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { isFile } from '../io/files/is-file.ts'
import { type JsonObject, readJsonObject } from '../io/files/json.ts'
import type { Head } from '../models/index.ts'
import type { Module } from '../nn/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { listNames } from '../util/warn.ts'
import type { Adapter } from './adapter.ts'
import { adapterMethod, adapterMethods } from './method.ts'
import { classOf, peftPath, placesIn } from './places.ts'
import type { AdapterSpec } from './spec.ts'
import { matches, type Targets } from './targets.ts'

const CONFIG = 'adapter_config.json'
/** The `peft_type` of methods that peft does not have. It refuses such a folder. */
const HEED = 'HEED'

/** peft's names of heads. */
const TASK_TYPES: Partial<Record<Head, string>> = {
  'causal-lm': 'CAUSAL_LM',
  'seq2seq-lm': 'SEQ_2_SEQ_LM',
  'sequence-classification': 'SEQ_CLS',
  'token-classification': 'TOKEN_CLS',
  'question-answering': 'QUESTION_ANS',
  encoder: 'FEATURE_EXTRACTION',
}

/** Keys of adapter_config.json without an effect on the result, and keys that every method has. */
const ALWAYS_READ = new Set([
  ...['peft_type', 'task_type', 'target_modules', 'exclude_modules', 'layers_to_transform', 'modules_to_save'], // biome-ignore format: one line
  ...['base_model_name_or_path', 'revision', 'inference_mode', 'peft_version', 'auto_mapping'],
  ...['init_ia3_weights', 'megatron_core', 'loftq_config', 'qalora_group_size'],
])

/** Values of other keys that change nothing: the defaults of peft. */
const isDefault = (key: string, value: unknown): boolean =>
  value === null ||
  value === false ||
  (key === 'bias' && value === 'none') ||
  (key === 'init_lora_weights' && KEEPS_BASE.includes(value)) ||
  (typeof value === 'object' && Object.keys(value ?? {}).length === 0)

/** Ways to start a LoRA. All others (PiSSA, OLoRA, CorDA, LoftQ …) change the weights of the base, too. */
const KEEPS_BASE: readonly unknown[] = [true, 'gaussian', 'orthogonal', 'eva']

/** Writes adapter_config.json. */
export async function savePeftConfig(
  adapter: Adapter,
  model: Module,
  dir: string,
  { base = null }: { base?: string | null },
): Promise<void> {
  const { method, targets, exclude, layers, save, options } = adapter.config
  const { peft, selection } = adapterMethod(method)
  const { head } = classOf(model)
  const config = {
    peft_type: peft?.type ?? HEED,
    task_type: (head && TASK_TYPES[head]) ?? null,
    base_model_name_or_path: base,
    ...(selection.includes('targets') && {
      ...selectionOf(model, namesOf(model, adapter), { targets, exclude, layers }),
    }),
    modules_to_save: save.length > 0 ? save : null,
    inference_mode: true,
    ...(peft
      ? peft.write(options, { model, base, modules: adapter.modules })
      : { heed_method: method, heed_options: options, layers_to_transform: layers ?? null }),
  }
  await ensureDir(dir)
  await writeFileAtomic(join(dir, CONFIG), `${JSON.stringify(config, null, 2)}\n`)
}

interface Selected {
  readonly targets?: Targets
  readonly exclude?: readonly string[] | RegExp
  readonly layers?: readonly number[] | null
}

/** The paths of an adapter, here and in peft. */
const namesOf = (model: Module, { paths }: Adapter): { path: string; peftPath: string }[] =>
  paths.map((path) => ({ path, peftPath: peftPath(model, path) }))

/** Which layers an adapter changes, in names that peft understands for every method. */
function selectionOf(
  model: Module,
  places: readonly { path: string; peftPath: string }[],
  { targets = [], exclude, layers }: Selected,
): { target_modules: unknown; exclude_modules: unknown } {
  const isRenamed = places.some(({ path, peftPath }) => path !== peftPath)
  const whole = { target_modules: places.map(({ peftPath }) => peftPath), exclude_modules: null }
  if (layers || (isRenamed && (exclude || targets instanceof RegExp))) return whole
  const last = (chosen: readonly { peftPath: string }[]): string[] => [
    ...new Set(chosen.map(({ peftPath }) => peftPath.replace(/^.*\./, ''))),
  ]
  const exclude_modules = exclude === undefined ? null : stored(exclude)
  if (targets === 'all-linear') {
    const names = last(places)
    // Layers of the head, such as BERT's pooler, may have the same names.
    const found = placesIn(model).filter((place) => matches(names, place))
    return found.length > places.length ? whole : { target_modules: names, exclude_modules }
  }
  if (!isRenamed || targets instanceof RegExp) return { target_modules: stored(targets), exclude_modules } // biome-ignore format: one line
  const inPeft = targets.flatMap((name) =>
    places.some(({ peftPath }) => matches([name], { path: peftPath, peftPath }))
      ? name
      : last(places.filter((place) => matches([name], place))),
  )
  return { target_modules: [...new Set(inPeft)], exclude_modules }
}

const stored = (names: readonly string[] | RegExp): readonly string[] | string =>
  names instanceof RegExp ? names.source : names

/** Whether a folder is that of an adapter. */
export const isAdapter = (dir: string): Promise<boolean> => isFile(join(dir, CONFIG))

/** An adapter on disk. */
export interface PeftFolder {
  readonly config: JsonObject
  readonly spec: AdapterSpec
  readonly base: string | null
  readonly path: string
}

/**
 * Reads adapter_config.json.
 * @throws HeedError for a folder without it, an unknown `peft_type`, and settings that Heed does not honour
 */
export async function readPeftConfig(dir: string): Promise<PeftFolder> {
  const path = join(dir, CONFIG)
  if (!(await isFile(path)))
    throw new HeedError('missing-file', `${dir} must be the folder of an adapter, with ${CONFIG}`, {
      value: dir,
      remedy: 'Use the folder that adapter.save() or peft wrote.',
    })
  const config = await readJsonObject(path, { maxBytes: 20e6 })
  const { base_model_name_or_path: base, layers_to_transform: layers } = config
  const { method, options } = methodOf(config, path)
  const exclude = selectorOf(config, 'exclude_modules', path)
  const save = selectorOf(config, 'modules_to_save', path)
  if (exclude === 'all-linear' || typeof save === 'string' || save instanceof RegExp)
    throw notNames(path, config)
  return {
    path,
    config,
    base: typeof base === 'string' ? base : null,
    spec: {
      method,
      ...options,
      targets: selectorOf(config, 'target_modules', path),
      exclude,
      layers: layersOf(layers),
      save: save ?? [],
    },
  }
}

function methodOf(
  config: JsonObject,
  path: string,
): { method: string; options: Record<string, unknown> } {
  const { peft_type: type } = config
  if (type === HEED) return ownMethod(config, path)
  const known = adapterMethods().flatMap(({ peft }) => peft?.type ?? [])
  if (typeof type !== 'string' || !known.includes(type))
    throw new HeedError(
      'unsupported',
      `${path}: \`peft_type\` must be one of ${[...new Set(known)].join(', ')}, got ${shown(type)}`,
      {
        key: 'peft_type',
        value: type,
        remedy: 'Merge the adapter with peft, and open the merged model.',
      },
    )
  for (const { name, peft } of adapterMethods()) {
    if (peft?.type !== type) continue
    const strange = Object.keys(config).filter(
      (key) => !ALWAYS_READ.has(key) && !peft.used.includes(key) && !isDefault(key, config[key]),
    )
    if (strange.length > 0)
      throw new HeedError(
        'unsupported',
        `${path}: the settings ${listNames(strange)} of ${type} adapters are not supported`,
        { key: strange[0], value: config[strange[0]], remedy: 'Merge the adapter with peft, and open the merged model.' }, // biome-ignore format: one line
      )
    const options = peft.read(config)
    if (options) return { method: name, options }
  }
  throw new HeedError('unsupported', `${path}: this combination of settings is not supported`, { key: 'peft_type', value: type }) // biome-ignore format: one line
}

/** A method that only Heed has. Its options are checked when the adapter is created. */
function ownMethod({ heed_method: method, heed_options: options }: JsonObject, path: string) {
  if (typeof method === 'string' && isRecord(options)) return { method: adapterMethod(method).name, options } // biome-ignore format: one line
  throw new HeedError('corrupt-file', `${path}: \`heed_method\` must be the name of a method and \`heed_options\` its options, got ${shown(method)} and ${shown(options)}`, { key: 'heed_method', value: method, remedy: 'Save the adapter again.' }) // biome-ignore format: one line
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A list of names as it is; a text is a regular expression, or `all-linear`. */
function selectorOf(config: JsonObject, key: string, path: string): Targets | undefined {
  const value = config[key]
  if (value === null || value === undefined) return undefined
  if (value === 'all-linear') return value
  if (typeof value === 'string') {
    try {
      return new RegExp(value, 'u')
    } catch (cause) {
      throw new HeedError('corrupt-file', `${path}: \`${key}\` must be a regular expression, got ${shown(value)}`, { key, value, cause, remedy: String(cause) }) // biome-ignore format: one line
    }
  }
  if (isNames(value)) return value
  throw new HeedError('corrupt-file', `${path}: \`${key}\` must be names of layers or a pattern, got ${shown(value)}`, { key, value }) // biome-ignore format: one line
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string')

const notNames = (path: string, { exclude_modules, modules_to_save }: JsonObject): HeedError =>
  new HeedError('corrupt-file', `${path}: \`exclude_modules\` and \`modules_to_save\` must be lists of names, got ${shown({ exclude_modules, modules_to_save })}`, { key: 'modules_to_save' }) // biome-ignore format: one line

const layersOf = (value: unknown): readonly number[] | undefined =>
  typeof value === 'number' ? [value] : Array.isArray(value) && value.length > 0 ? value : undefined
