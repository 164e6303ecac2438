import { Embedding, Linear, type Module } from '../nn/index.ts'
import { cat, noGrad, Parameter, realize, type Tensor } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { HeadedModel } from './heads/headed-model.ts'

const checkResize = argumentKinds('resizeTokenEmbeddings', { model: 'model', size: 'size' })

/**
 * Adds rows for new tokens to the token embeddings of a model, and to the output layer if it has one. Each new row is
 * the mean of the old ones (Hewitt, 2021, "Initializing New Word Embeddings for Pretrained Language Models"), so that new
 * tokens are as likely as an average one. `config.vocab_size` becomes `size`.
 * @param size the new number of rows
 * @returns the names of the weights that have new rows
 * @throws HeedError if the model has no token embeddings, if they are quantised, and for fewer rows than now
 */
export async function resizeTokenEmbeddings(model: Module, size: number): Promise<string[]> {
  checkResize(model, size)
  const layers = model instanceof HeadedModel ? model.vocabularyLayers() : []
  const config = Object(model.config)
  const { vocab_size: before } = config
  if (layers.length === 0 || typeof before !== 'number')
    throw new HeedError('unsupported', `The model must have token embeddings, got ${model.constructor.name}`, {
      key: 'model',
      remedy: 'Resize the embeddings of a text model.',
    }) // biome-ignore format: one line
  if (size < before)
    throw invalidOption({
      key: 'size',
      value: size,
      expected: `at least the present number of tokens (${before})`,
      try: { size: [before] },
    })
  const quantized = layers.find((layer) => !isTable(layer))
  if (quantized)
    throw new HeedError('unsupported', `The embeddings must be numbers to add tokens, got ${quantized.constructor.name}`, {
      key: 'keepBlocks',
      remedy: 'Load the model with keepBlocks: false.',
    }) // biome-ignore format: one line
  const larger = new Map<Parameter, Parameter>()
  const grown = async (parameter: Parameter): Promise<Parameter> => {
    const known = larger.get(parameter)
    if (known) return known
    const added = await withMeans(parameter, size)
    larger.set(parameter, added)
    return added
  }
  const names = new Map(model.namedParameters().map(([name, parameter]) => [parameter, name]))
  for (const layer of layers.filter(isTable)) {
    layer.weight = await grown(layer.weight)
    if (layer instanceof Linear && layer.bias) layer.bias = await grown(layer.bias)
  }
  config.vocab_size = size
  return [...larger.keys()].map((parameter) => names.get(parameter) ?? '')
}

const isTable = (layer: Module): layer is Embedding | Linear =>
  layer instanceof Embedding || layer instanceof Linear

/** A parameter (V, …) with further rows, which are the mean of the old ones. */
async function withMeans(parameter: Parameter, size: number): Promise<Parameter> {
  const [rows, ...rest] = parameter.shape
  const value = noGrad((): Tensor => {
    const old = parameter.detach()
    return cat([old, old.mean(0, true).expand(size - rows, ...rest)])
  })
  await realize([value])
  const grown = new Parameter(value)
  grown.requiresGrad = parameter.requiresGrad
  return grown
}
