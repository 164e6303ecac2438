// Everything that Heed knows of a family of models, in one place: the end of the family's file.

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

/** All keys are required: a feature that a family does not have is an explicit `null`, `[]` or `{}`. */
export interface ModelDefinition<C extends object = object> extends Architecture<C> {
  /** Other values of `model_type` that mean this family. */
  readonly otherNames: readonly string[]
  /**
   * The classes, by head: the first is the default of a folder without `architectures`. Where several classes have the
   * same head, the first is the default for that head.
   */
  readonly heads: readonly ModelClass[]
  /** The keys of config.json for the sizes of a new model; null: new models cannot be built from sizes alone. */
  readonly sizes: SizeKeys | null
  /** The keys of config.json with a probability of dropout in training. */
  readonly dropout: readonly string[]
  /** The vocabulary of a new model; null for models that read no text. */
  readonly tokenizer: TokenizerConventions | null
  /** The keys of config.json for the images that a new model reads; null for models that read none. */
  readonly image: ImageKeys | null
  /** What is trained by default. */
  readonly task: TaskName
  /** The head for training on masked tokens; null: there is none. */
  readonly maskedLanguageModeling: 'masked-lm' | 'pretraining' | null
  /** How GGUF files store this family; null: they are not read. */
  readonly gguf: GGUFFormat | null
  /** Published sizes by name, for `heed inspect --preset`: what differs from the defaults of the config. */
  readonly presets: Readonly<Record<string, Partial<C>>>
}

const DEFINITION = optionKinds<ModelDefinition>({
  modelType: 'text',
  title: 'text',
  config: 'record',
  otherNames: 'texts',
  heads: 'list',
  sizes: 'function|null',
  dropout: 'texts',
  tokenizer: 'record|null',
  image: 'function|null',
  task: 'text',
  maskedLanguageModeling: 'text|null',
  gguf: 'record|null',
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
 * A definition of a family of models, checked; `registerModel` makes it known.
 * @throws HeedError for an unsafe name, for a definition without heads, and for a head that no class implements
 */
export function defineModel<C extends object>(definition: ModelDefinition<C>): ModelDefinition<C> {
  checkDefinition('defineModel', definition)
  return definition
}

/** @throws HeedError as `defineModel` does */
export function checkDefinition<C extends object>(
  owner: string,
  definition: ModelDefinition<C>,
): void {
  checkArgument(owner, 'definition', definition, 'record')
  DEFINITION.checkValues(owner, definition) // the keys of its family are beside them
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

/** @throws HeedError for a schema that does not accept its own defaults */
export function checkDefaults<C extends object>(definition: ModelDefinition<C>): void {
  try {
    configOf(definition, {})
  } catch (cause) {
    throw new HeedError(
      'invalid-option',
      `The schema of '${definition.modelType}' must accept its own defaults, but refuses them: ${(cause as Error).message}`,
      { key: 'config', cause, remedy: 'Give each key of the schema a default that is valid.' },
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

/** The head of the default task, and that for masked tokens, must be there. */
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
        `\`${key}\` of '${modelType}' must need ${expected}, got ${shown(head ?? task)}`,
        { key, value: head, expected, remedy: 'Add the class to `heads`, or choose another.' },
      )
  }
}
