import type { Module } from '../nn/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { divisorsNear } from '../util/divisors.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds } from '../util/options.ts'
import { definitions } from './definitions.ts'
import type { Head } from './heads/heads.ts'
import type { ModelClass } from './pretrained.ts'
import { modelClass, modelDefinition } from './registry.ts'
import type { Sizes } from './shared/sizes.ts'

/** Options of `newModel`. */
export interface NewModelOptions {
  /** Name of the family, such as `gpt2`. See `modelTypes`. */
  modelType: string
  /** Name of the head. */
  head: Head
  /** Sizes of the model. The family derives its config keys from them. */
  sizes: Sizes
  /** Dropout probability. Default 0. */
  dropout?: number
  /** Further config keys, which override those derived from the sizes. */
  config?: Readonly<Record<string, unknown>>
}

const checkNewModel = argumentKinds('newModel', {
  options: optionKinds<NewModelOptions>({
    modelType: 'text',
    head: 'text',
    sizes: 'record',
    dropout: 'share?',
    config: 'record?',
  }),
})

/**
 * Creates a model with random weights.
 * @throws HeedError for a family that cannot be built from sizes, and for incompatible sizes, with compatible values of
 * `heads` or `dim`
 */
export function newModel(options: NewModelOptions): Module {
  checkNewModel(options)
  try {
    return build(options)
  } catch (error) {
    if (!(error instanceof HeedError)) throw error
    throw sizesError(error, options) ?? error
  }
}

function build({ modelType, head, sizes, dropout = 0, config }: NewModelOptions): Module {
  const { sizes: sizeKeys } = modelDefinition(modelType)
  if (sizeKeys === null) throw notBuildable(modelType)
  const Model: ModelClass = modelClass(modelType, head)
  return new Model({ ...sizeKeys(sizes), ...dropoutKeys(modelType, dropout), ...config } as never)
}

const checkDropoutKeys = argumentKinds('dropoutKeys', { modelType: 'text', rate: 'share' })

/**
 * Returns the config keys that set all dropout probabilities of a family.
 * @throws HeedError if the family has no dropout and `rate` is above 0
 */
export function dropoutKeys(modelType: string, rate: number): Record<string, number> {
  checkDropoutKeys(modelType, rate)
  const { dropout: keys, title } = modelDefinition(modelType)
  if (keys.length === 0 && rate > 0)
    throw new HeedError(
      'unsupported',
      `\`dropout\` must be 0 for ${title}, which has no dropout, got ${rate}`,
      {
        key: 'dropout',
        value: rate,
        expected: '0',
        try: { dropout: [0] },
      },
    )
  return Object.fromEntries(keys.map((key) => [key, rate]))
}

function notBuildable(modelType: string): HeedError {
  const known = new Set(
    definitions.values().flatMap(({ modelType, sizes }) => (sizes === null ? [] : [modelType])),
  )
  return invalidOption({
    key: 'model',
    value: modelType,
    expected: 'a family that can be built from sizes',
    remedy: `Fine-tune a published model with \`from\`, or choose one of ${[...known].join(', ')}.`,
  })
}

/** An error that suggests values of `heads` or `dim` for which the model is valid, if there are any. */
function sizesError(cause: HeedError, options: NewModelOptions): HeedError | undefined {
  const { sizes } = options
  const works = (changed: Partial<Sizes>): boolean => {
    try {
      build({ ...options, sizes: { ...sizes, ...changed } })
      return true
    } catch {
      return false
    }
  }
  const heads = divisorsNear(sizes.dim, sizes.heads).filter((heads) => works({ heads }))
  const dim = dimensionsNear(sizes).filter((dim) => works({ dim }))
  if (heads.length === 0 && dim.length === 0) return undefined
  return new HeedError(
    'invalid-option',
    `\`heads\` and \`dim\` must be compatible, got ${sizes.heads} and ${sizes.dim} (${cause.message})`,
    {
      key: 'heads',
      value: sizes.heads,
      expected: 'compatible with `dim`',
      try: { heads, dim },
      cause,
    },
  )
}

/** The multiples of twice the number of heads below and above the width. */
function dimensionsNear({ heads, dim }: Sizes): number[] {
  const below = Math.floor(dim / (2 * heads)) * 2 * heads
  return [below, below + 2 * heads].filter((value) => value > 0)
}
