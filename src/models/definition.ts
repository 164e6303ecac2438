// The definition of a family of models: everything that Heed knows about it. It is at the end of the family's file.

import { Module } from '../nn/index.ts'
import { checkArgument, hasMethod } from '../util/check-argument.ts'
import { HeedError, shown } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { checkName } from '../util/registry.ts'
import type { GGUFFormat } from './gguf/format.ts'
import type { ModelClass } from './pretrained.ts'
import type { ConfigFormat } from './shared/config.ts'
import { type Architecture, configOf } from './shared/family.ts'
import type { ImageKeys } from './shared/images.ts'
import type { SizeKeys } from './shared/sizes.ts'
import type { TokenizerConventions } from './shared/tokenizers.ts'
import { type TaskName, taskHeads } from './task-names.ts'

/**
 * Definition of a family of models. All keys except `paper` are required. If a family lacks a feature, the value is `null`, `[]` or
 * `{}`.
 */
export interface ModelDefinition<C extends object = object> extends Architecture<C> {
  /** Paper or report that describes the family: authors, year and title. For documentation. */
  readonly paper?: string
  /** Other values of `model_type` that refer to this family. */
  readonly otherNames: readonly string[]
  /**
   * The model classes. The first one is the default for folders without `architectures`. If several classes have the
   * same head, the first of them is the default for that head.
   */
  readonly heads: readonly ModelClass[]
  /** Returns the config of a new model from sizes; null if new models cannot be built from sizes alone. */
  readonly sizes: SizeKeys | null
  /** Keys of config.json that contain a dropout probability for training. */
  readonly dropout: readonly string[]
  /** Tokenizer of a new model; null for models that do not read text. */
  readonly tokenizer: TokenizerConventions | null
  /** Returns the config keys for the image size of a new model; null for models that do not read images. */
  readonly image: ImageKeys | null
  /** Default training task. */
  readonly task: TaskName
  /** Head for masked language modelling; null if there is none. */
  readonly maskedLanguageModeling: 'masked-lm' | 'pretraining' | null
  /** How GGUF files store this family; null if they are not supported. */
  readonly gguf: GGUFFormat | null
  /** The layers that adapters change by default, as in peft; null if `targets` must be given. */
  readonly adapterTargets?: AdapterTargets | null
  /** Published sizes by name, as differences from the config's defaults. Used by `heed inspect --preset`. */
  readonly presets: Readonly<Record<string, Partial<C>>>
}

/** Names of layers, or ends of their paths, for each kind of adapter. */
export interface AdapterTargets {
  /** Projections that LoRA changes. */
  readonly lora: readonly string[]
  /** Projections whose outputs (IA)³ scales. */
  readonly ia3: readonly string[]
  /** Layers of the feed-forward network whose inputs (IA)³ scales. */
  readonly feedForward: readonly string[]
  /** The two halves of a transformer layer, for bottlenecks and parallel networks. */
  readonly blocks: LayerBlocks
  /** How the tokens of an image are made, for visual prompts; omitted for models that read no images. */
  readonly imageTokens?: ImageTokens
  /**
   * Replacements that convert paths of layers to those in peft's files, which has the names of transformers in memory.
   * Omitted if they are those of checkpoints.
   */
  readonly peftNames?: readonly (readonly [RegExp, string])[]
}

/** Names of the modules at the ends of both halves of a transformer layer. */
export interface LayerBlocks {
  /** Layers whose outputs are those of attention, before they are added to the residual stream. */
  readonly attention: readonly string[]
  /** The module that reads the input of the feed-forward network, and the layer whose output is that of the network. */
  readonly feedForward: readonly [input: string, output: string]
}

/** How a vision transformer makes its tokens. */
export interface ImageTokens {
  /** Name of the module that returns the tokens of an image, (N, T, C). */
  readonly embeddings: string
  /** Number of tokens before those of the patches, such as the class token. */
  readonly special: number
}

const DEFINITION = optionKinds<ModelDefinition>({
  modelType: 'text',
  title: 'text',
  config: 'record',
  paper: 'text?',
  otherNames: 'texts',
  heads: 'list',
  sizes: 'function|null',
  dropout: 'texts',
  tokenizer: 'record|null',
  image: 'function|null',
  task: 'text',
  maskedLanguageModeling: 'text|null',
  gguf: 'record|null',
  adapterTargets: 'record|null?',
  presets: 'record',
})
const CONFIG = optionKinds<ConfigFormat<object>>({
  schema: {
    expected: 'a schema of zod, or a function that returns one',
    fits: (value) => typeof value === 'function' || hasMethod(value, 'safeParse'),
  },
  aliases: 'textRecord',
  unread: 'record?',
  prepare: 'function?',
  complete: 'function?',
})

/**
 * Checks and returns the definition of a family of models. `registerModel` registers it.
 * @throws HeedError for an invalid name, a definition without heads, or a task whose head no class implements
 */
export function defineModel<C extends object>(definition: ModelDefinition<C>): ModelDefinition<C> {
  checkDefinition('defineModel', definition)
  return definition
}

/** Checks a definition. @throws HeedError like `defineModel` */
export function checkDefinition<C extends object>(
  owner: string,
  definition: ModelDefinition<C>,
): void {
  checkArgument(owner, 'definition', definition, 'record')
  DEFINITION.checkValues(owner, definition) // allows the additional keys of the family
  CONFIG.check(owner, definition.config)
  const { modelType, otherNames, heads } = definition
  for (const name of [modelType, ...otherNames]) checkName('model type', name)
  if (heads.length === 0)
    throw new HeedError(
      'invalid-option',
      `The heads of '${modelType}' must be one or more classes, got none`,
      {
        key: 'heads',
        remedy: 'List the classes, for example heads: [MyModel].',
      },
    )
  for (const Model of heads) checkClass(Model, modelType)
  checkImplemented(definition)
}

/** Checks that the config schema has valid defaults. @throws HeedError otherwise */
export function checkDefaults<C extends object>(definition: ModelDefinition<C>): void {
  try {
    configOf(definition, {})
  } catch (cause) {
    throw new HeedError(
      'invalid-option',
      `The schema of '${definition.modelType}' must accept its own defaults, but rejects them: ${(cause as Error).message}`,
      { key: 'config', cause, remedy: 'Give each key of the schema a valid default.' },
    )
  }
}

function checkClass(Model: ModelClass, modelType: string): void {
  const name = typeof Model === 'function' ? Model.name : shown(Model)
  const expected =
    typeof Model !== 'function' || !(Model.prototype instanceof Module)
      ? 'be classes that extend Module'
      : typeof Model.head !== 'string' || Model.head.length === 0
        ? 'have a static `head`'
        : !Array.isArray(Model.architectures) || Model.architectures.length === 0
          ? 'have static `architectures` with one or more class names'
          : Model.modelType !== modelType
            ? `have the static \`modelType\` '${modelType}'`
            : null
  if (expected === null) return
  throw new HeedError(
    'invalid-option',
    `The heads of '${modelType}' must ${expected}, got ${name}`,
    {
      key: 'heads',
      remedy: 'See "Adding a model" in CONTRIBUTING.md.',
    },
  )
}

/** The heads for the default task and for masked language modelling must be implemented. */
function checkImplemented({
  modelType,
  heads,
  task,
  maskedLanguageModeling,
}: Pick<ModelDefinition, 'modelType' | 'heads' | 'task' | 'maskedLanguageModeling'>): void {
  const implemented = new Set(heads.map(({ head }) => head))
  const needed = [
    ['task', taskHeads[task]],
    ['maskedLanguageModeling', maskedLanguageModeling],
  ] as const
  for (const [key, head] of needed) {
    if (head === null) continue
    const expected = `a head that one of the classes implements (${[...implemented].join(', ')})`
    if (head === undefined || !implemented.has(head))
      throw new HeedError(
        'invalid-option',
        `\`${key}\` of '${modelType}' must require ${expected}, got ${shown(head ?? task)}`,
        {
          key,
          value: head,
          expected,
          remedy: 'Add the class to `heads`, or choose another value.',
        },
      )
  }
}
