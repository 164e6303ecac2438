// What all models with a head share: the stack of their family in the field that checkpoints name, and the layers of
// the head beside it.
import { Dropout, type Embedding, Linear, Module } from '../../nn/index.ts'
import type { Tensor } from '../../tensor/index.ts'
import { checkArgument, wrongArgument } from '../../util/check-argument.ts'
import { OptionRules } from '../../util/options.ts'
import { modelKey } from '../shared/checkpoint-keys.ts'
import { checkFamily, configOf, embeddingsOf, type Family, stackClass } from '../shared/family.ts'
import { type LabelConfig, labelsOf } from '../shared/labels.ts'
import type { Head } from './heads.ts'

/** A head of a family. */
export interface HeadSpec<C extends object, S extends Module, L extends object> {
  /** The class names in transformers: the first is written to config.json, all open. */
  readonly architectures: string | readonly string[]
  /** The layers of the head by field name, and so by checkpoint key, made in this order. */
  readonly layers: (config: C, below: BelowHead<S>) => L
  /** What the head computes from the states of the stack. */
  readonly logits: (layers: L, states: Tensor, model: { config: C; stack: S }) => Tensor
  /** Whether the stack has its pooler, where the family has one. Default false. */
  readonly pooler?: boolean
  /** The field of the stack, where this head has another; null: the model has the layers of the stack as fields. */
  readonly prefix?: string | null
}

/** Those of all heads: some have further functions. */
const HEAD = new OptionRules({
  architectures: 'any',
  layers: 'function',
  logits: 'function',
  pooler: 'flag?',
  prefix: 'text|null?',
  pool: 'function?',
  nextSentence: 'function?',
})

/** What a head is built on. */
export interface BelowHead<S extends Module> {
  readonly stack: S
  /** Number of labels, for heads that classify. */
  readonly labelCount: number
  /** The token embeddings, whose weight an output layer may share. */
  readonly embeddings: () => Embedding
}

/** The class of a model with its head: the stack is the field `P`, the layers of the head are fields beside it. */
export interface HeadClass<C extends object, M> {
  new (config?: Partial<C>): M
  readonly modelType: string
  readonly architectures: readonly string[]
  readonly head: Head
  readonly base: readonly string[]
  readonly layerLists: readonly string[]
}

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
    Object.assign(this, prefix === null ? layersOf(stack) : { [prefix]: stack }, layers)
  }

  /**
   * Read from the fields at each call, since a field may be replaced, by a quantised layer for example. Without a prefix
   * the model itself, which has the layers of the stack.
   */
  protected get stack(): S {
    const fields = this as unknown as S & Record<string, S>
    return this.#prefix === null ? fields : fields[this.#prefix]
  }

  protected get family(): F {
    return this.#family
  }

  protected get spec(): H {
    return this.#spec
  }

  protected get layers(): L {
    return this as unknown as L
  }

  protected headLogits(states: Tensor): Tensor {
    return this.#spec.logits(this.layers, states, this.below)
  }

  protected get below(): { config: C; stack: S } {
    return { config: this.config, stack: this.stack }
  }

  protected override keyInCheckpoint(key: string): string | null {
    return modelKey(key, this.#family, this.stack, this.#prefix)
  }
}

/**
 * The class of one family with one head.
 * @param Model what models of all families with this head share
 * @returns a class whose instances have the stack and the layers of the head as fields: the caller states which
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

/** The class names of a model in transformers. @throws HeedError unless there are one or more */
export function classNames(owner: string, architectures: string | readonly string[]): string[] {
  const names = [architectures].flat()
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name)) return names
  throw wrongArgument(owner, 'architectures', architectures, 'one or more class names')
}

/** The field of the stack; null where the model has the layers of the stack as fields of its own. */
const prefixOf = (
  family: { prefix: string },
  { prefix = family.prefix }: { prefix?: string | null },
): string | null => prefix

const layersOf = (stack: Module): Record<string, unknown> =>
  Object.fromEntries(Object.entries(stack).filter(([, value]) => value instanceof Module))

interface ConcreteModule extends Module {
  forward(...inputs: never[]): unknown
}

/** Paths in the stack below which a checkpoint must have every weight; '' is the whole stack. */
export const baseOf = ({
  required,
}: {
  readonly required?: readonly string[]
}): readonly string[] => required ?? ['']

/** A linear layer whose first weights are those of the family's other layers. */
export const headLinear = (
  inputs: number,
  outputs: number,
  { initializer_range: std = 0.02 }: { initializer_range?: number },
  bias = true,
): Linear => new Linear(inputs, outputs, { std, bias })

/** The layers of a head that classifies states: dropout, then a linear layer. */
export interface ClassifierLayers {
  dropout: Dropout
  classifier: Linear
}

/** Those layers. @param rate probability of dropout */
export const classifierLayers = (
  width: number,
  labelCount: number,
  config: { initializer_range?: number },
  rate: number,
): ClassifierLayers => ({
  dropout: new Dropout(rate),
  classifier: headLinear(width, labelCount, config),
})

export const classify = ({ dropout, classifier }: ClassifierLayers, states: Tensor): Tensor =>
  classifier.forward(dropout.forward(states))
