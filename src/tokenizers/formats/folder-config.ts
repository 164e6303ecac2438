import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../../io/files/file-error.ts'
import { readJson } from '../../io/files/json.ts'
import { isJsonObject } from '../../io/files/json-parse.ts'
import { refuseOtherFormats } from '../../io/files/wrong-format.ts'
import { SPECIAL_TOKENS } from '../chat/special-tokens.ts'
import type { ModelSettings } from './auto-class.ts'

/** The settings files of a tokenizer folder. */
export interface FolderConfig {
  /** `tokenizer_config.json`, merged with the special tokens and chat templates of other files. */
  config: unknown
  /** The tokens of `added_tokens.json` by id, in the format of `added_tokens_decoder`. */
  added: Record<string, unknown>
  /** `config.json` of the model. */
  model: ModelSettings
}

/**
 * Reads the settings files of a tokenizer like transformers. `special_tokens_map.json` and `added_tokens.json` are used
 * only if the config has no `added_tokens_decoder`, which replaced them.
 */
export async function readFolderConfig(folder: string): Promise<FolderConfig> {
  const config = await readIfPresent(join(folder, 'tokenizer_config.json'))
  const settings = await readIfPresent(join(folder, 'config.json'))
  const model = isJsonObject(settings) ? settings : {}
  if (!isJsonObject(config)) return { config, added: {}, model }
  const templates = await chatTemplates(folder)
  if (config.added_tokens_decoder !== undefined) {
    return { config: { ...config, ...templates }, added: {}, model }
  }
  const special = await readIfPresent(join(folder, 'special_tokens_map.json'))
  const merged = isJsonObject(special) ? { ...config, ...specialTokens(config, special) } : config
  const added = await readIfPresent(join(folder, 'added_tokens.json'))
  return { config: { ...merged, ...templates }, added: decoderOf(added, { config, merged }), model }
}

/** The tokens of `special_tokens_map.json`, which are always special. */
function specialTokens(
  config: Record<string, unknown>,
  special: Record<string, unknown>,
): Record<string, unknown> {
  const tokens: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(special))
    tokens[key] = isJsonObject(value) ? { ...value, special: true } : value
  const lists = [config.extra_special_tokens, special.extra_special_tokens]
  if (lists.every((list) => Array.isArray(list))) tokens.extra_special_tokens = lists.flat()
  return tokens
}

function decoderOf(
  ids: unknown,
  { config, merged }: { config: Record<string, unknown>; merged: Record<string, unknown> },
): Record<string, unknown> {
  if (!isJsonObject(ids)) return {}
  const lists = [config.extra_special_tokens, config.additional_special_tokens]
  const extra: unknown = lists.find((list) => Array.isArray(list) && list.length > 0)
  const named = [
    ...SPECIAL_TOKENS.map((name) => merged[name]),
    ...(Array.isArray(extra) ? extra : []),
  ]
  const contents = new Set(named.map((token) => (isJsonObject(token) ? token.content : token)))
  return Object.fromEntries(
    Object.entries(ids).map(([content, id]) => {
      const special = contents.has(content)
      return [String(id), { content, special, normalized: !special }]
    }),
  )
}

/** A template, or a list of named templates. */
async function chatTemplates(folder: string): Promise<{ chat_template?: unknown }> {
  const files = [['default', join(folder, 'chat_template.jinja')]]
  const named = join(folder, 'additional_chat_templates')
  const names = (await exists(named)) ? await readdir(named) : []
  for (const name of names.filter((name) => name.endsWith('.jinja')).sort())
    files.push([name.slice(0, -'.jinja'.length), join(named, name)])
  const templates: { name: string; template: string }[] = []
  for (const [name, path] of files)
    if (await exists(path)) templates.push({ name, template: await readText(path) })
  if (templates.length === 0) return {}
  const [first] = templates
  const isPlain = templates.length === 1 && first.name === 'default'
  return { chat_template: isPlain ? first.template : templates }
}

async function readIfPresent(path: string): Promise<unknown> {
  return (await exists(path)) ? readJson(path) : {}
}

export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8')
}

export async function readBytes(path: string): Promise<Buffer> {
  try {
    const bytes = await readFile(path)
    refuseOtherFormats(path, 'a tokenizer file', bytes, ['json', 'sentencepiece'])
    return bytes
  } catch (error) {
    throw fileError(error, 'read', path)
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
