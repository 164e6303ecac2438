// The page of models, from the definitions of the built-in families.
import { familyKind } from '../../src/cli/train.ts'
import * as exported from '../../src/models/families.ts'
import { type ModelDefinition, modelDefinition, modelTypes } from '../../src/models/index.ts'
import { taskHeads } from '../../src/models/task-names.ts'
import { code, codes, page, plain, table } from './markdown.ts'

export function modelsPage(): string {
  const kinds = new Map<string, ModelDefinition[]>()
  for (const definition of modelTypes().toSorted().map(modelDefinition)) {
    const kind = familyKind(definition)
    kinds.set(kind, [...(kinds.get(kind) ?? []), definition])
  }
  return page(
    'Models',
    'The families of models that Heed trains and opens, by the `model_type` of their `config.json`. Every family opens from a Hugging Face folder: `model.safetensors` (one file or several), or `pytorch_model.bin`. The column GGUF names the architecture of GGUF files that open as this family. GGUF files of Mistral have the architecture `llama`.',
    'The sections below list the heads of each family. A class without a name in `heed/models` is opened with `fromPretrained(folder, head)`.',
    ...[...kinds]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .flatMap(([kind, list]) => [
        `## ${kind[0].toUpperCase()}${kind.slice(1)}`,
        table(['model_type', 'family', 'default task', 'GGUF'], list.map(summary)),
      ]),
    ...[...kinds.values()].flat().toSorted((a, b) => a.title.localeCompare(b.title)).flatMap(details), // biome-ignore format: one line
  )
}

const summary = ({ modelType, otherNames, title, task, gguf }: ModelDefinition): string[] => [
  codes([modelType, ...otherNames]),
  plain(title),
  code(task),
  gguf ? code(gguf.architecture) : '',
]

function details({ title, modelType, paper, heads, presets }: ModelDefinition): string[] {
  const names = Object.keys(presets)
  return [
    `## ${title} (${modelType})`,
    paper ? plain(`${paper}.`) : '',
    table(
      ['class of heed/models', 'class of transformers', 'head', 'tasks'],
      heads.map((Model) => [nameOf(Model), codes(Model.architectures), code(Model.head), codes(tasksOf(Model.head))]), // biome-ignore format: one line
    ),
    names.length > 0 ? `Sizes for \`heed inspect --preset\`: ${codes(names)}.` : '',
  ]
}

/** The exported name of a class; a class without one is opened with \`fromPretrained(folder, head)\`. */
function nameOf(Model: unknown): string {
  const [name] = Object.entries(exported).find(([, value]) => value === Model) ?? []
  return name ? code(name) : ''
}

const tasksOf = (head: string): string[] =>
  Object.entries(taskHeads).flatMap(([task, needed]) => (needed === head ? [task] : []))
