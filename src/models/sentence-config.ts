// The files of sentence-transformers in a model folder: modules.json, and one folder per module.

import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { isFile } from '../io/files/is-file.ts'
import { isJsonObject, readJson } from '../io/files/json.ts'
import { isGGUF } from '../io/gguf/gguf.ts'
import { type Pooling, poolings } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import { type UnreadKeys, unreadKeys, warnOfUnreadKeys } from '../util/unread-keys.ts'
import { listNames } from '../util/warn.ts'
import { ggufPooling } from './gguf/pooling.ts'
import { dimension, parseConfig } from './shared/config.ts'

/** Settings of a sentence encoder, as in sentence-transformers. */
export interface SentenceConfig {
  /** Pooling methods, whose results are concatenated. */
  pooling: readonly Pooling[]
  /** Whether to normalise vectors to length 1. */
  normalize: boolean
  /**
   * Maximum number of tokens. Longer texts are truncated. Default: the limit of the tokenizer, at most that of the
   * model.
   */
  maxTokens?: number
  /** Whether to convert texts to lower case. Default false. */
  lowerCase?: boolean
  /** Prompts that are prepended to texts, by name, such as "query" and "document". */
  prompts?: Readonly<Record<string, string>>
  /** Name of the default prompt. */
  defaultPrompt?: string
  /** Whether pooling includes the tokens of the prompt. Default true. */
  includePrompt?: boolean
}

const checkReadSentenceConfig = argumentKinds('readSentenceConfig', { dir: 'text' })

/**
 * Reads the sentence encoder settings of a folder or GGUF file, and the location of its model. The default without
 * modules.json is mean pooling, with `isTrained` false: nothing says that the vectors were trained to be compared.
 * @throws HeedError for invalid or unsupported settings
 */
export async function readSentenceConfig(
  dir: string,
): Promise<{ config: SentenceConfig; modelDir: string; isTrained: boolean }> {
  checkReadSentenceConfig(dir)
  if (await isGGUF(dir)) {
    const pooling = await ggufPooling(dir)
    // The file does not say whether to normalise. llama.cpp does.
    const config: SentenceConfig = { pooling: [pooling ?? 'mean'], normalize: true }
    return { config, modelDir: dir, isTrained: pooling !== null }
  }
  const listed = await optional(join(dir, 'modules.json'))
  if (listed === undefined)
    return { config: { pooling: ['mean'], normalize: false }, modelDir: dir, isTrained: false }
  const list = parseConfig(modules, listed, `${join(dir, 'modules.json')}, a list of modules,`)
  const pathOf = (kind: string): string | undefined => {
    const found = list.find(({ type }) => type.endsWith(`.${kind}`))
    return found && join(dir, found.path)
  }
  const strange = list.find(({ type }) => !KINDS.some((kind) => type.endsWith(`.${kind}`)))
  if (strange)
    throw new HeedError(
      'unsupported',
      `The modules of ${dir} must be of the types ${KINDS.join(', ')}, got '${strange.type}'`,
      { key: 'type', value: strange.type, remedy: 'Use a model without this module.' },
    )
  const modelDir = pathOf('Transformer') ?? dir
  for (const [index, entry] of (Array.isArray(listed) ? listed : []).entries())
    if (isJsonObject(entry)) warnOfFile(entry, sentenceFiles.modules, `${dir}, module ${index}`)
  const { max_seq_length, do_lower_case } = await readSettings(
    join(modelDir, 'sentence_bert_config.json'),
    sentenceFiles.transformer,
  )
  const { prompts, default_prompt_name } = await readSettings(
    join(dir, 'config_sentence_transformers.json'),
    sentenceFiles.model,
  )
  if (default_prompt_name && prompts?.[default_prompt_name] === undefined)
    throw new HeedError(
      'invalid-config',
      `default_prompt_name of ${dir} must be one of ${listNames(Object.keys(prompts ?? {}))}, got '${default_prompt_name}'`,
      {
        key: 'default_prompt_name',
        value: default_prompt_name,
        remedy: 'Correct it, or add the prompt, in config_sentence_transformers.json.',
      },
    )
  const normalize = pathOf('Normalize')
  if (normalize !== undefined)
    await readSettings(join(normalize, 'config.json'), sentenceFiles.normalize)
  const config = {
    ...(await readPooling(pathOf('Pooling'))),
    normalize: normalize !== undefined,
    maxTokens: max_seq_length ?? undefined,
    lowerCase: do_lower_case,
    ...(prompts && { prompts: withoutNulls(prompts) }),
    ...(default_prompt_name && { defaultPrompt: default_prompt_name }),
  }
  return { config, modelDir, isTrained: true }
}

async function readPooling(
  dir: string | undefined,
): Promise<Pick<SentenceConfig, 'pooling' | 'includePrompt'>> {
  if (dir === undefined) return { pooling: ['mean'] }
  const path = join(dir, 'config.json')
  const raw = await readSettings(path, sentenceFiles.pooling)
  const includePrompt = raw.include_prompt ? {} : { includePrompt: false }
  if (raw.pooling_mode) return { pooling: [raw.pooling_mode].flat(), ...includePrompt }
  const chosen = poolings.filter((name) => raw[OLD_KEYS[name]])
  return { pooling: chosen.length > 0 ? chosen : ['mean'], ...includePrompt }
}

/** Reads the settings in an optional file. Unread settings that have an effect cause a warning. */
async function readSettings<S extends z.ZodObject>(
  path: string,
  file: SentenceFile<S>,
): Promise<z.output<S>> {
  const raw = (await optional(path)) ?? {}
  const settings = parseConfig(file.schema, raw, path)
  if (isJsonObject(raw)) warnOfFile(raw, file, path)
  return settings
}

function warnOfFile(settings: object, { schema, unread }: SentenceFile, source: string): void {
  warnOfUnreadKeys(settings, (key) => Object.hasOwn(schema.shape, key), unread, source)
}

const withoutNulls = (prompts: Readonly<Record<string, string | null>>): Record<string, string> =>
  Object.fromEntries(Object.entries(prompts).map(([name, text]) => [name, text ?? '']))

/** Writes the files of sentence-transformers to a model folder. */
export async function writeSentenceConfig(
  dir: string,
  config: SentenceConfig,
  width: number,
): Promise<void> {
  const { pooling: chosen, normalize, maxTokens, lowerCase = false } = config
  const { prompts, defaultPrompt, includePrompt = true } = config
  const kinds = ['Transformer', 'Pooling', ...(normalize ? ['Normalize'] : [])]
  const list = kinds.map((kind, idx) => ({
    idx,
    name: String(idx),
    path: idx === 0 ? '' : `${idx}_${kind}`,
    type: `sentence_transformers.models.${kind}`,
  }))
  const write = (path: string, value: unknown): Promise<void> =>
    writeFileAtomic(join(dir, path), `${JSON.stringify(value, null, 2)}\n`)
  await ensureDir(join(dir, '1_Pooling'))
  await write('modules.json', list)
  await write('sentence_bert_config.json', { max_seq_length: maxTokens, do_lower_case: lowerCase })
  await write('1_Pooling/config.json', poolingConfig(chosen, width, includePrompt))
  if (prompts)
    await write('config_sentence_transformers.json', {
      prompts,
      default_prompt_name: defaultPrompt ?? null,
    })
}

/** Uses the keys that all versions read, if they can express the setting. */
function poolingConfig(chosen: readonly Pooling[], width: number, include_prompt: boolean): object {
  const usual = poolings.filter((name) => chosen.includes(name))
  if (usual.join() !== chosen.join())
    return { embedding_dimension: width, pooling_mode: chosen, include_prompt }
  const modes = poolings.map((name) => [OLD_KEYS[name], chosen.includes(name)])
  return { word_embedding_dimension: width, ...Object.fromEntries(modes), include_prompt }
}

const KINDS = ['Transformer', 'Pooling', 'Normalize']

const module = z.object({
  type: z.string().max(200),
  path: z
    .string()
    .regex(/^(?!\.\.?$)[\w.-]{0,80}$/, 'is not the name of a folder')
    .default(''),
})

const modules = z.array(module).min(1).max(16)

const transformer = z.object({
  max_seq_length: dimension.nullish(),
  do_lower_case: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
})

const model = z.object({
  prompts: z.record(z.string(), z.string().nullable()).nullish(),
  default_prompt_name: z.string().nullish(),
})

/** Before 2025, each pooling method had its own key. */
const OLD_KEYS = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
} as const

const one = z.enum(poolings)
const flag = z.boolean().nullish()
const pooling = z.object({
  pooling_mode: z.union([one, z.array(one).min(1).max(6)]).nullish(),
  include_prompt: z
    .boolean()
    .nullish()
    .transform((value) => value ?? true),
  pooling_mode_cls_token: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
})

/** The keys of a file. Keys in the schema are read; `unread` lists others with the values that have no effect. */
interface SentenceFile<S extends z.ZodObject = z.ZodObject> {
  schema: S
  unread: UnreadKeys
}

/** Checked against sentence-transformers 6.2. */
export const sentenceFiles = {
  modules: { schema: module, unread: { ...unreadKeys('idx', 'name'), kwargs: [[]] } },
  model: {
    schema: model,
    unread: {
      ...unreadKeys('__version__', 'model_type', 'similarity_fn_name'), // the caller computes similarities
      truncate_dim: [],
    },
  },
  transformer: {
    schema: transformer,
    unread: {
      ...unreadKeys('unpad_inputs', 'model_args', 'tokenizer_args', 'config_args', 'cache_dir'),
      ...unreadKeys('tokenizer_name_or_path', 'query_length', 'document_length'),
      transformer_task: ['feature-extraction'],
      module_output_name: ['token_embeddings'],
      modality_config: [{ text: { method: 'forward', method_output_name: 'last_hidden_state' } }],
      processing_kwargs: [{}],
      query_expansion: [false],
    },
  },
  pooling: {
    schema: pooling,
    unread: unreadKeys('word_embedding_dimension', 'embedding_dimension'),
  },
  normalize: {
    schema: z.object({}),
    unread: {
      module_input_name: ['sentence_embedding'],
      module_output_name: ['sentence_embedding'],
    },
  },
} as const satisfies Record<string, SentenceFile>

const optional = async (path: string): Promise<unknown> =>
  (await isFile(path)) ? readJson(path, { maxBytes: 1e6 }) : undefined
