import { requireIntact } from '../io/files/verify.ts'
import type { RawConfig } from '../io/hub/hf.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { listNames } from '../util/warn.ts'
import { checkDefaults, checkDefinition, type ModelDefinition } from './definition.ts'
import { definitions } from './definitions.ts'
import * as families from './families.ts'
import { attachAdapters, folderKindOf } from './folder-kinds.ts'
import { readGenerationConfig } from './generation-config.ts'
import { ABILITIES, type Head, type Heads } from './heads/heads.ts'
import {
  ADAPTED,
  generates,
  type LoadModelOptions,
  loadFolder,
  type ModelClass,
} from './pretrained.ts'
import { type HeadFor, headFor, type TaskName } from './task-names.ts'
import { readModelConfig } from './weight-file.ts'

/**
 * Makes a family of models available to `fromPretrained`, training and all commands.
 * @throws HeedError if its `model_type` or one of its other names is already registered, or its schema does not accept
 * its own defaults
 */
export function registerModel(definition: ModelDefinition): void {
  checkDefinition('registerModel', definition)
  checkDefaults(definition)
  add(definition)
}

// The defaults of built-in families are checked by tests rather than at each start.
for (const value of Object.values(families)) if (isDefinition(value)) add(value)

function add(definition: ModelDefinition): void {
  for (const name of [definition.modelType, ...definition.otherNames])
    definitions.register(name, definition)
}

/** Returns the `model_type` of every registered family. */
export const modelTypes = (): string[] => [
  ...new Set(definitions.values().map(({ modelType }) => modelType)),
]

/** Returns the definition of a family. @throws HeedError for an unknown name, with the most similar ones */
export const modelDefinition = (modelType: string): ModelDefinition => definitions.get(modelType)

/**
 * Returns the class for a `model_type` and a head.
 * @param name a head, or the task that requires it
 * @throws HeedError for an unknown `model_type`, with the most similar ones, or a head that the family does not have
 */
export function modelClass<N extends Head | TaskName = 'causal-lm'>(
  modelType: string,
  name: N = 'causal-lm' as N,
): ModelClass<Heads[HeadFor<N>]> {
  const head = headFor(name)
  const { heads, title } = modelDefinition(modelType)
  const Model = heads.find((Model) => Model.head === head)
  if (Model) return Model as ModelClass<Heads[HeadFor<N>]>
  const known = headsOf(modelType)
  throw new HeedError(
    'unsupported',
    `The head of ${title} must be one of ${known.join(', ')}, got '${head}'`,
    {
      key: 'head',
      value: head,
      expected: `one of ${known.join(', ')}`,
      remedy: `${title} cannot ${ABILITIES[head]}. It can: ${listNames(known.map((name) => ABILITIES[name]))}.`,
    },
  )
}

/** Returns the heads of a family, each once. @throws HeedError for an unknown name, with the most similar ones */
export const headsOf = (modelType: string): Head[] => [
  ...new Set(modelDefinition(modelType).heads.map(({ head }) => head)),
]

/** Returns the head of a model folder, according to `architectures` in its config. Default: the family's first head. */
export function headOf(config: RawConfig): Head {
  checkArgument('headOf', 'config', config, 'record')
  const { model_type, architectures } = config
  const { heads } = modelDefinition(model_type)
  return (heads.find((Model) => isNamed(Model, architectures)) ?? heads[0]).head
}

const checkFromPretrained = argumentKinds('fromPretrained', {
  dir: 'text',
  name: 'text',
  options: optionKinds<LoadModelOptions>({
    config: 'record?',
    onNew: 'function?',
    onUnused: 'function?',
    keepBlocks: 'flag?',
    ...ADAPTED,
  }),
})

/**
 * Loads a model from a Hugging Face folder, a GGUF file, or the folder of an adapter (with its base, after `heed/adapt`
 * has been imported), in evaluation mode. If the checkpoint has another head, the
 * layers below it are loaded, the new head is initialised randomly, and `onNew` receives the names of its weights.
 * @param name a head, or the task that requires it
 * @throws HeedError for a folder that is not a model, a family without this head, and weights that do not fit
 */
export async function fromPretrained<N extends Head | TaskName = 'causal-lm'>(
  dir: string,
  name: N = 'causal-lm' as N,
  options: LoadModelOptions = {},
): Promise<Heads[HeadFor<N>]> {
  checkFromPretrained(dir, name, options)
  const { adapters, ...others } = options
  const model = await openFolder(dir, name, others)
  if (adapters) await attachAdapters(model as Module, adapters)
  return model
}

async function openFolder<N extends Head | TaskName>(
  dir: string,
  name: N,
  options: LoadModelOptions,
): Promise<Heads[HeadFor<N>]> {
  await requireIntact(dir)
  const kind = await folderKindOf(dir)
  if (kind) return kind.open(dir, name, options)
  if (options.base !== undefined)
    throw invalidOption({
      key: 'base',
      value: options.base,
      expected: `omitted for a model that is no adapter (${dir})`,
    })
  const config = await readModelConfig(dir)
  const Model = classOf(config, headFor(name))
  const model = await loadFolder<Module>(Model, config, dir, options)
  if (generates(model)) model.generationConfig = await readGenerationConfig(dir, config)
  return model as Heads[HeadFor<N>]
}

/** The class that the config names if it has this head, otherwise the first class with this head. */
function classOf(config: RawConfig, head: Head): ModelClass {
  const first = modelClass(config.model_type, head) as ModelClass
  const { heads } = modelDefinition(config.model_type)
  const named = heads.find((Model) => isNamed(Model, config.architectures))
  return named?.head === head ? named : first
}

const isNamed = (Model: ModelClass, architectures: unknown): boolean =>
  Array.isArray(architectures) && Model.architectures.some((name) => architectures.includes(name))

function isDefinition(value: unknown): value is ModelDefinition {
  return typeof value === 'object' && value !== null && 'modelType' in value && 'heads' in value
}
