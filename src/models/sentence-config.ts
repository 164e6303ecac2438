// What sentence-transformers keeps beside a model: modules.json, and a folder for each module.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '../io/files/atomic.ts'
import { ensureDir } from '../io/files/ensure-dir.ts'
import { readJson } from '../io/files/json.ts'
import { type Pooling, poolings } from '../nn/index.ts'
import { HeedError } from '../util/errors.ts'
import { dimension, parseConfig } from './shared/config.ts'

export interface SentenceConfig {
  /** One after the other in the vector. */
  pooling: readonly Pooling[]
  /** Whether vectors have length one. */
  normalize: boolean
  /** Longer texts are cut. Default: what the tokenizer says, and never more than the model can see. */
  maxTokens?: number
  lowerCase?: boolean
}

/** What a folder says, and where its model lies; of a folder without modules.json, the mean is taken. */
export async function readSentenceConfig(
  dir: string,
): Promise<{ config: SentenceConfig; modelDir: string }> {
  const listed = await optional(join(dir, 'modules.json'))
  if (listed === undefined)
    return { config: { pooling: ['mean'], normalize: false }, modelDir: dir }
  const list = parseConfig(modules, listed, `${join(dir, 'modules.json')}, a list of modules,`)
  const pathOf = (kind: string): string | undefined => {
    const found = list.find(({ type }) => type.endsWith(`.${kind}`))
    return found && join(dir, found.path)
  }
  const strange = list.find(({ type }) => !KINDS.some((kind) => type.endsWith(`.${kind}`)))
  if (strange)
    throw new HeedError(
      'unsupported',
      `The modules of ${dir} must be of the kinds ${KINDS.join(', ')}, got '${strange.type}'`,
      { key: 'type', value: strange.type, remedy: 'Use a model without this module.' },
    )
  const modelDir = pathOf('Transformer') ?? dir
  const settings = join(modelDir, 'sentence_bert_config.json')
  const { max_seq_length, do_lower_case } = parseConfig(
    transformer,
    (await optional(settings)) ?? {},
    settings,
  )
  const config = {
    pooling: await readPooling(pathOf('Pooling') ?? dir),
    normalize: pathOf('Normalize') !== undefined,
    maxTokens: max_seq_length ?? undefined,
    lowerCase: do_lower_case,
  }
  return { config, modelDir }
}

async function readPooling(dir: string): Promise<readonly Pooling[]> {
  const path = join(dir, 'config.json')
  const raw = parseConfig(pooling, (await optional(path)) ?? {}, path)
  if (raw.pooling_mode) return [raw.pooling_mode].flat()
  const chosen = poolings.filter((name) => raw[OLD_KEYS[name]])
  return chosen.length > 0 ? chosen : ['mean']
}

/** Writes the files beside a model's, as sentence-transformers reads them. */
export async function writeSentenceConfig(
  dir: string,
  { pooling: chosen, normalize, maxTokens, lowerCase = false }: SentenceConfig,
  width: number,
): Promise<void> {
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
  await write('1_Pooling/config.json', poolingConfig(chosen, width))
}

/** With the keys that all versions read, where those can say it. */
function poolingConfig(chosen: readonly Pooling[], width: number): object {
  const usual = poolings.filter((name) => chosen.includes(name))
  if (usual.join() !== chosen.join()) return { embedding_dimension: width, pooling_mode: chosen }
  const modes = poolings.map((name) => [OLD_KEYS[name], chosen.includes(name)])
  return { word_embedding_dimension: width, ...Object.fromEntries(modes) }
}

const KINDS = ['Transformer', 'Pooling', 'Normalize']

const modules = z
  .array(
    z.object({
      type: z.string().max(200),
      path: z
        .string()
        .regex(/^(?!\.\.?$)[\w.-]{0,80}$/, 'is not the name of a folder')
        .default(''),
    }),
  )
  .min(1)
  .max(16)

const transformer = z.object({
  max_seq_length: dimension.nullish(),
  do_lower_case: z.boolean().default(false),
})

/** Until 2025 each way of pooling had a key of its own. */
const OLD_KEYS = {
  cls: 'pooling_mode_cls_token',
  max: 'pooling_mode_max_tokens',
  mean: 'pooling_mode_mean_tokens',
  mean_sqrt_len_tokens: 'pooling_mode_mean_sqrt_len_tokens',
  weightedmean: 'pooling_mode_weightedmean_tokens',
  lasttoken: 'pooling_mode_lasttoken',
} as const

const one = z.enum(poolings)
const flag = z.boolean().default(false)
const pooling = z.object({
  pooling_mode: z.union([one, z.array(one).min(1).max(6)]).optional(),
  pooling_mode_cls_token: flag,
  pooling_mode_max_tokens: flag,
  pooling_mode_mean_tokens: flag,
  pooling_mode_mean_sqrt_len_tokens: flag,
  pooling_mode_weightedmean_tokens: flag,
  pooling_mode_lasttoken: flag,
})

async function optional(path: string): Promise<unknown> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() ? readJson(path, { maxBytes: 1e6 }) : undefined
}
