import { requireIntact } from '../io/files/verify.ts'
import type { RawConfig } from '../io/hub/hf.ts'
import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument } from '../util/check-argument.ts'
import { HeedError } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { listNames } from '../util/warn.ts'
import { checkDefaults, checkDefinition, type ModelDefinition } from './definition.ts'
import { definitions } from './definitions.ts'
import * as families from './families.ts'
import { readGenerationConfig } from './generation-config.ts'
import { ABILITIES, type Head, type Heads } from './heads/heads.ts'
import { generates, type LoadModelOptions, loadFolder, type ModelClass } from './pretrained.ts'
import { type HeadFor, headFor, type TaskName } from './task-names.ts'
import { readModelConfig } from './weight-file.ts'

/**
 * Makes a family of models known to `fromPretrained`, training and all commands.
 * @throws HeedError when its `model_type` or another name of it is taken, and when its schema does not accept its own
 * defaults
 */
export function registerModel(definition: ModelDefinition): void {
  checkDefinition('registerModel', definition)
  checkDefaults(definition)
  add(definition)
}

// The defaults of Heed's own families are checked by the tests, not at each start.
for (const value of Object.values(families)) if (isDefinition(value)) add(value)

function add(definition: ModelDefinition): void {
  for (const name of [definition.modelType, ...definition.otherNames])
    definitions.register(name, definition)
}

/** The `model_type` of every family. */
export const modelTypes = (): string[] => [
  ...new Set(definitions.values().map(({ modelType }) => modelType)),
]

/** All that Heed knows of a family. @throws HeedError with the most similar names */
export const modelDefinition = (modelType: string): ModelDefinition => definitions.get(modelType)

/**
 * The class for a `model_type` and a head, or the task that needs it.
 * @throws HeedError with the most similar names, or the heads that there are
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

/** The heads of a family, without repetition. @throws HeedError with the most similar names */
export const headsOf = (modelType: string): Head[] => [
  ...new Set(modelDefinition(modelType).heads.map(({ head }) => head)),
]

/** The head of a folder, from `architectures` of its config; by default the family's first. */
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
    keepBlocks: 'flag?',
  }),
})

/**
 * The model of a Hugging Face folder or a GGUF file, with its weights. From a checkpoint with another head, the weights
 * of the layers below are taken; the new head starts from random values, and `onNew` gets its names.
 * @param name a head, or the task that needs it
 */
export async function fromPretrained<N extends Head | TaskName = 'causal-lm'>(
  dir: string,
  name: N = 'causal-lm' as N,
  options: LoadModelOptions = {},
): Promise<Heads[HeadFor<N>]> {
  checkFromPretrained(dir, name, options)
  await requireIntact(dir)
  const config = await readModelConfig(dir)
  const Model = classOf(config, headFor(name))
  const model = await loadFolder<Module>(Model, config, dir, options)
  if (generates(model)) model.generationConfig = await readGenerationConfig(dir, config)
  return model as Heads[HeadFor<N>]
}

/** The class that a config names where it has this head, otherwise the first that has. */
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
