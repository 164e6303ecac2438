// A family of models: the layers below any head, which all its models share, and what heads need to know of them.
import type { Embedding, Module } from '../../nn/index.ts'
import { Embedding as EmbeddingModule } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument } from '../../util/check-argument.ts'
import { HeedError } from '../../util/errors.ts'
import { OptionRules, optionKinds } from '../../util/options.ts'
import type { CausalLMOptions } from '../heads/causal-lm.ts'
import type { EncoderOptions } from '../heads/text-model.ts'
import { type ConfigFormat, readConfig } from './config.ts'
import type { LabelConfig } from './labels.ts'

/** What every family has. */
export interface Architecture<C extends object> {
  /** `model_type` of config.json. */
  readonly modelType: string
  /** Its name in messages: "GPT-2". */
  readonly title: string
  readonly config: ConfigFormat<C>
}

/** Parts of a stack that only some heads have. */
export interface StackParts {
  /** BERT's and ViT's layer on the first token's states. */
  readonly pooler: boolean
}

/** The layers below any head. */
export interface Family<C extends object, S extends Module, P extends string>
  extends Architecture<C> {
  readonly Stack: new (config: C, has: StackParts) => S
  /** The field of the stack in a model with a head, and so the beginning of its keys: `transformer`. */
  readonly prefix: P
  readonly names: StackNames<C>
  /** Keys of checkpoints that hold no weight, such as stored masks. */
  readonly ignoredKeys?: RegExp
  /** Replacements that make today's keys of those in old checkpoints. */
  readonly renamedKeys?: readonly (readonly [RegExp, string])[]
}

export interface StackNames<C> {
  /** The width of states: a key of config.json, or computed from several. */
  readonly width: (keyof C & string) | ((config: C) => number)
  /** Paths of the lists of layers: `h`; of an encoder-decoder both. */
  readonly layers: readonly string[]
  /** The path of the token embeddings; null for stacks that read no tokens. */
  readonly embeddings: string | null
  /** Fields that every checkpoint has; left out: all. The others, such as a pooler, do not change the states. */
  readonly required?: readonly string[]
}

/** A stack that reads token ids. */
export interface TextStack extends Module {
  /** ids (B, T) i32 -> states (B, T, C); at the positions of `logitsAt` only, where it is given. */
  forward(ids: Tensor, options: TextStackOptions): Tensor
}

export type TextStackOptions = EncoderOptions & CausalLMOptions

export interface TextFamily<C extends TextConfig, S extends TextStack, P extends string>
  extends Family<C, S, P> {
  /** The most tokens that a model can see. */
  readonly contextLength: (config: C) => number
}

/** The keys that heads on text stacks read. */
export interface TextConfig extends LabelConfig {
  vocab_size: number
  initializer_range?: number
  tie_word_embeddings: boolean
  pad_token_id?: number | null
}

/** A family that can write text: its stack takes a cache. */
export interface DecoderFamily<C extends TextConfig, S extends TextStack, P extends string>
  extends TextFamily<C, S, P> {
  /** The shape of the keys and values that each layer keeps. */
  readonly cache: (config: C) => { layers: number; heads: number; headDim: number }
  /** The number of tokens after which caches must be computed again; left out: never. */
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

/** Refuses what is no family of models, in calls without types. @throws HeedError */
export function checkFamily(owner: string, family: { readonly names: unknown }): void {
  checkArgument(owner, 'family', family, 'record')
  FAMILY.checkValues(owner, family)
  NAMES.check(owner, family.names)
}

/** The cache of a decoder whose heads divide its width, given their keys in config.json. */
export const cacheOf =
  <C extends object>(layers: keyof C, heads: keyof C, width: keyof C) =>
  (config: C): { layers: number; heads: number; headDim: number } => ({
    layers: Number(config[layers]),
    heads: Number(config[heads]),
    headDim: Number(config[width]) / Number(config[heads]),
  })

const stackClasses = new WeakMap<object, unknown>()

/** Makes models with a head use `Stack`, a model of its own, in place of the family's plain stack. */
export const setStackClass = (family: object, Stack: unknown): void =>
  void stackClasses.set(family, Stack)

/** The class of the stack in models with a head. */
export const stackClass = <C extends object, S extends Module>(
  family: Family<C, S, string>,
): Family<C, S, string>['Stack'] =>
  (stackClasses.get(family) as Family<C, S, string>['Stack'] | undefined) ?? family.Stack

/** A complete config of a family. @throws HeedError that names what does not fit */
export const configOf = <C extends object>({ config, title }: Architecture<C>, raw: object): C =>
  readConfig(config, raw, title)

/** The width of a family's states. */
export const widthOf = <C extends object>(
  { names }: Pick<Family<C, Module, string>, 'names'>,
  config: C,
): number => (typeof names.width === 'function' ? names.width(config) : Number(config[names.width]))

/** The token embeddings of a stack. */
export function embeddingsOf<C extends object>(
  { names, title }: Pick<Family<C, Module, string>, 'names' | 'title'>,
  stack: Module,
): Embedding {
  const module = names.embeddings === null ? null : stack.getModule(names.embeddings)
  if (module instanceof EmbeddingModule) return module
  throw new HeedError('unsupported', `${title} has no token embeddings`, {
    remedy: 'Use a head that does not need them.',
  })
}
