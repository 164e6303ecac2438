// Options of pipelines, which may have Heed's names or the names of transformers and transformers.js.
import type { GenerationSettings } from '../generate/index.ts'
import { GENERATION_KEYS } from '../models/index.ts'
import { isPlain, unknownKey } from '../util/check-keys.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { type OptionKinds, optionKinds } from '../util/options.ts'

/** Other names that differ from Heed's name in more than snake_case. */
const RENAMED: Readonly<Record<string, string>> = {
  aggregation_strategy: 'aggregation',
  max_answer_len: 'maxAnswerTokens',
  max_new_tokens: 'maxTokens',
  num_beams: 'beams',
  stop_strings: 'stop',
  tokenizer_encode_kwargs: 'templateVariables',
  truncation: 'truncate',
}

/** Options that are not supported, with what to do instead. Names that are not listed are refused as unknown. */
const REFUSED: Readonly<Record<string, string>> = {
  config: 'Change config.json in a copy of the folder.',
  device: 'Call setDefaultDevice, or set HEED_DEVICE.',
  dtype: 'Omit it: quantized weights stay quantized, other weights are computed in f32.',
  function_to_apply: 'Omit it: `problem_type` in config.json determines it.',
  logits_processor: 'Use `processors`.',
  model_file_name: 'Omit it: the weight files of a folder are found automatically.',
  precision: 'Read the vectors with `await x.data()`, and round them.',
  quantize: 'Read the vectors with `await x.data()`, and round them.',
  return_tensors: 'Encode the text with the tokenizer of the model.',
  session_options: 'Omit it: it is an option of ONNX Runtime.',
  stopping_criteria: 'Use `stop`, `stopTokens`, or `processors` with a method `ends`.',
  streamer: 'Use `onText`, which is called with each piece of text.',
  subfolder: 'Use the path of the folder instead of a name.',
  use_external_data_format: 'Omit it: it is an option of ONNX Runtime.',
}

/** Reads the options of a task and converts other names to Heed's names. */
export type OptionReader<Options> = (options: Options | undefined) => Options

/**
 * Creates the reader of the options of a task. The reader throws a HeedError for unknown and unsupported options, and for
 * wrong values.
 */
export function optionReader<Options extends object>(
  task: string,
  table: OptionKinds<Options>,
): OptionReader<Options> {
  const rules = optionKinds<Options>(table)
  const generates = 'generationConfig' in table
  return (options) => {
    const read = isPlain(options) ? renamed(task, options, table, generates) : options
    rules.check(task, read)
    return (read ?? {}) as Options
  }
}

function renamed(
  task: string,
  options: Readonly<Record<string, unknown>>,
  table: object,
  generates: boolean,
): Record<string, unknown> {
  const read: Record<string, unknown> = {}
  const generation: Record<string, unknown> = {}
  const sources = new Map<string, string>()
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    const isSetting = generates && isGenerationKey(name, options, table)
    const here = Object.hasOwn(table, name) ? name : heedName(name)
    const before = sources.get(here)
    if (before !== undefined) throw twice(task, before, name)
    sources.set(here, name)
    if (!isSetting && !Object.hasOwn(table, here) && Object.hasOwn(REFUSED, name))
      throw refused(task, name, value, REFUSED[name])
    if (!isSetting && !Object.hasOwn(table, here))
      throw unknownKey(task, name, Object.keys(table), generates ? GENERATION_NAMES : [])
    if (isSetting) generation[name] = settingOf(task, name, value)
    else read[here] = value
  }
  if (Object.keys(generation).length === 0) return read
  const given = read.generationConfig as GenerationSettings | undefined
  return { ...read, generationConfig: { ...given, ...generation } }
}

const GENERATION_NAMES = Object.keys(GENERATION_KEYS)

/**
 * Whether a name is a setting of generation_config.json. Names that are also options of Heed, such as `temperature`, are
 * settings if `do_sample` is given.
 */
const isGenerationKey = (name: string, options: object, table: object): boolean =>
  Object.hasOwn(GENERATION_KEYS, name) &&
  (!Object.hasOwn(table, name) || 'do_sample' in options) &&
  !(name === 'max_length' && Object.hasOwn(table, 'maxLength'))

/** Heed's name of an option: `topK` for `top_k`. */
const heedName = (name: string): string =>
  Object.hasOwn(RENAMED, name)
    ? RENAMED[name]
    : name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The value of a setting. @throws HeedError if Heed would ignore it */
function settingOf(task: string, name: string, value: unknown): unknown {
  const answer = GENERATION_KEYS[name]
  if (typeof answer === 'string' || value === null || answer.harmless.includes(value)) return value
  throw refused(task, name, value, 'Omit it.')
}

const refused = (task: string, name: string, value: unknown, remedy: string): HeedError =>
  new HeedError('unsupported', `${task}: \`${name}\` is not supported`, {
    key: name,
    value,
    remedy,
  })

const twice = (task: string, first: string, second: string): HeedError =>
  invalidOption({
    owner: task,
    key: second,
    value: `\`${first}\` too`,
    expected: `given once`,
    remedy: `\`${first}\` and \`${second}\` are the same option. Omit one of them.`,
  })
