// A page for each built-in family of models, from its definition, and a page that lists them.
import { z } from 'zod'
import { familyKind } from '../../src/cli/train.ts'
import * as exported from '../../src/models/families.ts'
import { type ModelDefinition, modelDefinition, modelTypes } from '../../src/models/index.ts'
import { taskHeads } from '../../src/models/task-names.ts'
import { code, codes, page, plain, table } from './markdown.ts'
import { defaultOf, innermost, typeOf } from './schema.ts'

/** The pages by path: a list of the families, and a page for each. */
export function modelPages(): Record<string, string> {
  const families = modelTypes().toSorted().map(modelDefinition)
  const pages = families.map((family) => [`models/${family.modelType}.md`, familyPage(family)])
  return { 'models.md': overview(families), ...Object.fromEntries(pages) }
}

function overview(families: readonly ModelDefinition[]): string {
  const kinds = new Map<string, ModelDefinition[]>()
  for (const family of families) {
    const kind = familyKind(family)
    kinds.set(kind, [...(kinds.get(kind) ?? []), family])
  }
  const sections = [...kinds]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .flatMap(([kind, list]) => [
      `## ${kind[0].toUpperCase()}${kind.slice(1)}`,
      table(['model_type', 'family', 'default task', 'GGUF'], list.map(summary)),
    ])
  return page('Models', INTRODUCTION, ...sections)
}

const INTRODUCTION =
  'The families of models that Heed trains and opens, by the `model_type` of their `config.json`. Every family opens from a Hugging Face folder: `model.safetensors` (one file or several), or `pytorch_model.bin`. The column GGUF names the architecture of GGUF files that open as this family. GGUF files of Mistral have the architecture `llama`.'

const summary = ({ modelType, otherNames, title, task, gguf }: ModelDefinition): string[] => [
  `[${code(modelType)}](models/${modelType}.md)${otherNames.map((name) => `, ${code(name)}`).join('')}`,
  plain(title),
  code(task),
  gguf ? code(gguf.architecture) : '',
]

function familyPage({
  title,
  modelType,
  paper,
  heads,
  presets,
  config,
  gguf,
}: ModelDefinition): string {
  const names = Object.keys(presets)
  return page(
    title === modelType ? title : `${title} (${modelType})`,
    paper ? plain(`${paper}.`) : '',
    `A new model: \`heed train ${modelType}\`. ${gguf ? 'Opens Hugging Face folders and GGUF files.' : 'Opens Hugging Face folders.'}`,
    '## Heads',
    heads.some((Model) => nameOf(Model) === '') ? 'A class without a name in `heed/models` is opened with `fromPretrained(folder, head)`.' : '', // biome-ignore format: one line
    table(
      ['class of heed/models', 'class of transformers', 'head', 'tasks'],
      heads.map((Model) => [nameOf(Model), codes(Model.architectures), code(Model.head), codes(tasksOf(Model.head))]), // biome-ignore format: one line
    ),
    names.length > 0 ? `## Published sizes\n\nFor \`heed inspect --preset\`: ${codes(names)}.` : '',
    '## Keys of config.json',
    'With the defaults of missing keys. Other keys that transformers saves are in [Keys of settings files](../../config-keys.md).',
    table(
      ['key', 'type', 'default'],
      keysOf(config.schema).map(([key, schema]) => [code(key), typeOf(schema), defaultOf(schema)]),
    ),
  )
}

function keysOf(schema: ModelDefinition['config']['schema']): [string, z.ZodType][] {
  const inner = innermost(typeof schema === 'function' ? schema() : schema)
  return inner instanceof z.ZodObject ? Object.entries(inner.shape) : []
}

/** The exported name of a class; a class without one is opened with \`fromPretrained(folder, head)\`. */
function nameOf(Model: unknown): string {
  const [name] = Object.entries(exported).find(([, value]) => value === Model) ?? []
  return name ? code(name) : ''
}

const tasksOf = (head: string): string[] =>
  Object.entries(taskHeads).flatMap(([task, needed]) => (needed === head ? [task] : []))
