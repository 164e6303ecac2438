// A family of models: the stack that all its models share, and what heads need to know about it.
import type { Embedding, Module } from '../../nn/index.ts'
import { Embedding as EmbeddingModule, Module as ModuleBase } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { OptionRules, optionKinds } from '../../util/options.ts'
import type { CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions } from '../heads/text-model.ts'
import { type ConfigFormat, readConfig } from './config.ts'
import type { LabelConfig } from './labels.ts'

/** What every family declares. */
export interface Architecture<C extends object> {
  /** `model_type` of config.json. */
  readonly modelType: string
  /** Name in messages, such as "GPT-2". */
  readonly title: string
  /** The format of config.json. */
  readonly config: ConfigFormat<C>
}

/** Parts of a stack that only some heads use. */
export interface StackParts {
  /** The pooler of BERT and ViT, a layer on the state of the first token. */
  readonly pooler: boolean
}

/** A family: the stack below any head, and its names in checkpoints. */
export interface Family<C extends object, S extends Module, P extends string>
  extends Architecture<C> {
  /** Class of the stack: the layers below any head. */
  readonly Stack: new (
    config: C,
    has: StackParts,
  ) => S
  /** Field of the stack in models with a head, and thus the prefix of its keys, such as `transformer`. */
  readonly prefix: P
  /** Names of the layers of the stack. */
  readonly names: StackNames<C>
  /** Keys of checkpoints that are not weights, such as stored masks. */
  readonly ignoredKeys?: RegExp
  /** Replacements that convert keys of old checkpoints. */
  readonly renamedKeys?: readonly (readonly [RegExp, string])[]
}

/** Names of the parts of a stack. */
export interface StackNames<C> {
  /** Width of the hidden states: a config key, or a function of the config. */
  readonly width: (keyof C & string) | ((config: C) => number)
  /** Paths of the lists of layers, such as `h`; two for an encoder-decoder. */
  readonly layers: readonly string[]
  /** Path of the token embeddings; null for stacks that do not read tokens. */
  readonly embeddings: string | null
  /** Fields that every checkpoint must have. Default: all. Other fields, such as a pooler, do not affect the states. */
  readonly required?: readonly string[]
}

/** A stack that reads token ids. */
export interface TextStack extends Module {
  /** Computes hidden states: i32 (B, T) -> f32 (B, T, C), or only those at the positions of `logitsAt`. */
  forward(ids: Tensor, options: TextStackOptions): Tensor
}

/** Options of a text stack. */
export type TextStackOptions = EncoderOptions & CausalLMOptions

/** A family of text models. */
export interface TextFamily<C extends TextConfig, S extends TextStack, P extends string>
  extends Family<C, S, P> {
  /** Maximum number of tokens. */
  readonly contextLength: (config: C) => number
}

/** Config keys that heads on text stacks read. */
export interface TextConfig extends LabelConfig {
  vocab_size: number
  initializer_range?: number
  tie_word_embeddings: boolean
  pad_token_id?: number | null
}

/** A family that can generate text: its stack accepts a cache. */
export interface DecoderFamily<C extends TextConfig, S extends TextStack, P extends string>
  extends TextFamily<C, S, P> {
  /** Sizes of the keys and values in each layer. */
  readonly cache: (config: C) => { layers: number; heads: number; headDim: number }
  /** Number of tokens above which caches must be recomputed. Omitted if they always stay valid. */
  readonly cacheValidTo?: (config: C) => number
}

const FAMILY = new OptionRules({
  modelType: 'text',
  title: 'text',
  config: 'record',
  Stack: 'function',
  names: 'record',
})
const NAMES = optionKinds<StackNames<object>>({
  width: 'any',
  layers: 'texts',
  embeddings: 'text|null',
  required: 'texts?',
})

/** Checks a family in calls from plain JavaScript. @throws HeedError */
export function checkFamily(owner: string, family: { readonly names: unknown }): void {
  checkArgument(owner, 'family', family, 'record')
  FAMILY.checkValues(owner, family)
  NAMES.check(owner, family.names)
}

/** Returns a function for `cache` of a decoder whose heads divide its width, from the names of its config keys. */
export const cacheOf =
  <C extends object>(layers: keyof C, heads: keyof C, width: keyof C) =>
  (config: C): { layers: number; heads: number; headDim: number } => ({
    layers: Number(config[layers]),
    heads: Number(config[heads]),
    headDim: Number(config[width]) / Number(config[heads]),
  })

/** Returns a function for `contextLength` from the name of its config key. */
export const contextOf =
  <C extends object>(key: keyof C) =>
  (config: C): number =>
    Number(config[key])

const stackClasses = new WeakMap<object, unknown>()

/** Makes models with a head use `Stack`, a complete model class, in place of the family's plain stack. */
export const setStackClass = (family: object, Stack: unknown): void =>
  void stackClasses.set(family, Stack)

/** The class of the stack in models with a head. */
export const stackClass = <C extends object, S extends Module>(
  family: Family<C, S, string>,
): Family<C, S, string>['Stack'] =>
  (stackClasses.get(family) as Family<C, S, string>['Stack'] | undefined) ?? family.Stack

/** Validates and completes a config of a family. @throws HeedError that names invalid keys */
export const configOf = <C extends object>({ config, title }: Architecture<C>, raw: object): C =>
  readConfig(config, raw, title)

/** The width of a family's hidden states. */
export const widthOf = <C extends object>(
  { names }: Pick<Family<C, Module, string>, 'names'>,
  config: C,
): number => (typeof names.width === 'function' ? names.width(config) : Number(config[names.width]))

/** The module in the fields of a stack; null without one. Its path can have other names, as that of a shared table has. */
export function fieldOf(stack: Module, path: string | null): Module | null {
  const found = path
    ?.split('.')
    .reduce((outer: object, name) => Object(Reflect.get(outer, name)), stack)
  return found instanceof ModuleBase ? found : null
}

/** The token embeddings of a stack. @throws HeedError if it has none */
export function embeddingsOf<C extends object>(
  { names, title }: Pick<Family<C, Module, string>, 'names' | 'title'>,
  stack: Module,
): Embedding {
  const module = fieldOf(stack, names.embeddings)
  if (module instanceof EmbeddingModule) return module
  throw new HeedError(
    'unsupported',
    `${title} must have token embeddings for this head, got none`,
    {
      remedy: 'Use a head that does not need them.',
    },
  )
}
