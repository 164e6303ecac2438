// Common base of models with a head: the stack of their family, in the field that checkpoints name, and the layers of
// the head.
import { Dropout, type Embedding, Linear, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument, wrongArgument } from '../../util/check-argument.ts'
import { OptionRules } from '../../util/options.ts'
import { modelKey } from '../shared/checkpoint-keys.ts'
import {
  checkFamily,
  configOf,
  embeddingsOf,
  type Family,
  fieldOf,
  stackClass,
} from '../shared/family.ts'
import { type LabelConfig, labelsOf } from '../shared/labels.ts'
import type { Head } from './heads.ts'

/** Specification of a head of a family. */
export interface HeadSpec<C extends object, S extends Module, L extends object> {
  /** Class names in transformers. The first one is written to config.json; all are accepted when opening. */
  readonly architectures: string | readonly string[]
  /** Creates the layers of the head, in this order. Field names are checkpoint keys. */
  readonly layers: (config: C, below: BelowHead<S>) => L
  /** Computes the output of the head from the hidden states of the stack. */
  readonly logits: (layers: L, states: Tensor, model: { config: C; stack: S }) => Tensor
  /** Whether the stack includes its pooler, if the family has one. Default false. */
  readonly pooler?: boolean
  /**
   * Field of the stack, if it differs from that of the family. null: the layers of the stack are fields of the model
   * itself.
   */
  readonly prefix?: string | null
}

/** Keys of all heads, including optional functions of some. */
const HEAD = new OptionRules({
  architectures: 'any',
  layers: 'function',
  logits: 'function',
  pooler: 'flag?',
  prefix: 'text|null?',
  pool: 'function?',
  nextSentence: 'function?',
  output: 'function?',
})

/** What the layers of a head are built on. */
export interface BelowHead<S extends Module> {
  /** The stack of the family. */
  readonly stack: S
  /** Number of labels, for classification heads. */
  readonly labelCount: number
  /** The token embeddings, whose weight an output layer can share. */
  readonly embeddings: () => Embedding
}

/** A model class with a head. The stack is the field `P`; the layers of the head are further fields. */
export interface HeadClass<C extends object, M> {
  /** Creates a model with new weights. Missing config keys have the defaults of the family. */
  new (config?: Partial<C>): M
  /** `model_type` of the family. */
  readonly modelType: string
  /** Names of the class in transformers. */
  readonly architectures: readonly string[]
  /** Name of the head. */
  readonly head: Head
  /** Paths below which a checkpoint must have every weight. */
  readonly base: readonly string[]
  /** Paths of the lists of layers. */
  readonly layerLists: readonly string[]
}

/** Base class of models with a head. */
export abstract class HeadedModel<
  C extends object,
  S extends Module,
  L extends object,
  F extends Family<C, S, string> = Family<C, S, string>,
  H extends HeadSpec<C, S, L> = HeadSpec<C, S, L>,
> extends Module<C> {
  readonly #family: F
  readonly #spec: H
  readonly #prefix: string | null
  readonly #headLayers: readonly string[]

  constructor(family: F, spec: H, config: Partial<C> = {}) {
    super(configOf(family, config))
    const prefix = prefixOf(family, spec)
    this.#family = family
    this.#spec = spec
    this.#prefix = prefix
    const stack = new (stackClass(family))(this.config, { pooler: spec.pooler ?? false })
    const layers = spec.layers(this.config, {
      stack,
      labelCount: labelsOf(this.config as LabelConfig).length,
      embeddings: () => embeddingsOf(family, stack),
    })
    this.#headLayers = Object.keys(layers)
    Object.assign(this, prefix === null ? layersOf(stack) : { [prefix]: stack }, layers)
  }

  /**
   * The stack, read from its field at each call, because fields can be replaced, for example by quantised layers.
   * Without a prefix, this is the model itself.
   */
  protected get stack(): S {
    const fields = this as unknown as S & Record<string, S>
    return this.#prefix === null ? fields : fields[this.#prefix]
  }

  /** Number of stacks with a text of their own: 2 for encoder-decoders. */
  get stackCount(): number {
    return 1
  }

  /** The table of token embeddings; null for models that do not read tokens. */
  get inputEmbeddings(): Module | null {
    return fieldOf(this.stack, this.#family.names.embeddings)
  }

  /** The family of the model. */
  protected get family(): F {
    return this.#family
  }

  /** The specification of the head. */
  protected get spec(): H {
    return this.#spec
  }

  /** The layers of the head, which are fields of the model. */
  protected get layers(): L {
    return this as unknown as L
  }

  /** Computes the output of the head from hidden states f32 (B, T, C). */
  protected headLogits(states: Tensor): Tensor {
    return this.#spec.logits(this.layers, states, this.below)
  }

  /** Config and stack, which some heads read. */
  protected get below(): { config: C; stack: S } {
    return { config: this.config, stack: this.stack }
  }

  /**
   * The layers with a row for each token: the token embeddings, and the layers of the head with an output for each token.
   * Empty if the family has no token embeddings.
   */
  vocabularyLayers(): Module[] {
    const { embeddings } = this.#family.names
    if (embeddings === null) return []
    const table = this.stack.getModule(embeddings)
    const { vocab_size: tokens } = Object(this.config)
    const outputs = this.#headLayers.map((name) => this.getModule(name))
    return [table, ...outputs.filter((layer) => Object(layer).weight?.shape[0] === tokens)]
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modelKey(key, this.#family, this.stack, this.#prefix)
  }
}

/**
 * Creates the class of one family with one head.
 * @param Model base class of all models with this head
 * @returns a class whose instances have the stack and the layers of the head as fields. The caller declares their
 * types.
 * @throws HeedError for a family or specification that is incomplete
 */
export function headClass<C extends object, S extends Module, L extends object, F, H, R>(
  Model: new (family: F, spec: H, config?: Partial<C>) => HeadedModel<C, S, L>,
  head: Head,
  family: F & Family<C, S, string>,
  spec: H & HeadSpec<C, S, L>,
): HeadClass<C, R> {
  const owner = `The head '${head}'`
  checkFamily(owner, family)
  checkArgument(owner, 'spec', spec, 'record')
  HEAD.check(owner, spec)
  const architectures = classNames(owner, spec.architectures)
  const prefix = prefixOf(family, spec)
  const below = (path: string): string => [prefix, path].filter(Boolean).join('.')
  const Headed = class extends (Model as new (
    family: F,
    spec: H,
    config?: Partial<C>,
  ) => ConcreteModule) {
    static readonly modelType = family.modelType
    static readonly architectures = architectures
    static readonly head = head
    static readonly base = baseOf(family.names).map(below)
    static readonly layerLists = family.names.layers.map(below)

    constructor(config?: Partial<C>) {
      super(family, spec, config)
    }
  }
  Object.defineProperty(Headed, 'name', { value: architectures[0] })
  return Headed as unknown as HeadClass<C, R>
}

/** Returns the class names of a model in transformers. @throws HeedError if there is none */
export function classNames(owner: string, architectures: string | readonly string[]): string[] {
  const names = [architectures].flat()
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name)) return names
  throw wrongArgument(owner, 'architectures', architectures, 'one or more class names')
}

/** The field of the stack; null if the layers of the stack are fields of the model itself. */
const prefixOf = (
  family: { prefix: string },
  { prefix = family.prefix }: { prefix?: string | null },
): string | null => prefix

const layersOf = (stack: Module): Record<string, unknown> =>
  Object.fromEntries(Object.entries(stack).filter(([, value]) => value instanceof Module))

interface ConcreteModule extends Module {
  forward(...inputs: never[]): unknown
}

/** Paths in the stack below which a checkpoint must have every weight. '' is the whole stack. */
export const baseOf = ({
  required,
}: {
  readonly required?: readonly string[]
}): readonly string[] => required ?? ['']

/** A linear layer, initialised like the family's other layers. */
export const headLinear = (
  inputs: number,
  outputs: number,
  { initializer_range: std = 0.02 }: { initializer_range?: number },
  bias = true,
): Linear => new Linear(inputs, outputs, { std, bias })

/** Layers of a head that classifies hidden states: dropout and a linear layer. */
export interface ClassifierLayers {
  /** Dropout of the hidden states. */
  dropout: Dropout
  /** Hidden states to logits of the labels, C to K features. */
  classifier: Linear
}

/** Creates the layers of such a head. @param rate dropout probability */
export const classifierLayers = (
  width: number,
  labelCount: number,
  config: { initializer_range?: number },
  rate: number,
): ClassifierLayers => ({
  dropout: new Dropout(rate),
  classifier: headLinear(width, labelCount, config),
})

/** Applies the layers of such a head. */
export const classify = ({ dropout, classifier }: ClassifierLayers, states: Tensor): Tensor =>
  classifier.forward(dropout.forward(states))
