import { Embedding, Linear, type Module } from '../nn/index.ts'
import { cat, noGrad, Parameter, realize, type Tensor, tensor } from '../tensor/index.ts'
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
  const { layers, rows } = vocabularyOf(model)
  if (size < rows)
    throw invalidOption({
      key: 'size',
      value: size,
      expected: `at least the present number of tokens (${rows})`,
      try: { size: [rows] },
    })
  return replaceRows(model, layers, size, (parameter) => withMeans(parameter, size))
}

const checkRemap = argumentKinds('remapTokenEmbeddings', { model: 'model', pieces: 'numberLists' })

/**
 * Gives a model the rows of another tokenizer, in its token embeddings and in its output layer if it has one: row i becomes
 * the mean of the present rows `pieces[i]`, such as `tokenPieces(before, after)` of heed/tokenizers. Without pieces, it is
 * the mean of all rows. `config.vocab_size` becomes the number of lists.
 * @returns the names of the weights that have other rows
 * @throws HeedError if the model has no token embeddings, if they are quantised, and for pieces that are not rows
 */
export async function remapTokenEmbeddings(
  model: Module,
  pieces: readonly (readonly number[])[],
): Promise<string[]> {
  checkRemap(model, pieces)
  const { layers, rows } = vocabularyOf(model)
  const wrong = pieces.flat().find((id) => !(Number.isInteger(id) && id >= 0 && id < rows))
  if (wrong !== undefined || pieces.length === 0)
    throw invalidOption({
      key: 'pieces',
      value: wrong ?? pieces,
      expected: `lists of token ids below the present number of tokens (${rows})`,
      remedy: 'Use tokenPieces() with the tokenizer of the model.',
    })
  return replaceRows(model, layers, pieces.length, (parameter) => withPieces(parameter, pieces))
}

/** The layers with a row for each token, and the number of rows. @throws HeedError for models without, and for blocks */
function vocabularyOf(model: Module): { layers: readonly Table[]; rows: number } {
  const layers = model instanceof HeadedModel ? model.vocabularyLayers() : []
  const { vocab_size: rows } = Object(model.config)
  if (layers.length === 0 || typeof rows !== 'number')
    throw new HeedError('unsupported', `The model must have token embeddings, got ${model.constructor.name}`, {
      key: 'model',
      remedy: 'Resize the embeddings of a text model.',
    }) // biome-ignore format: one line
  const quantized = layers.find((layer) => !isTable(layer))
  if (quantized)
    throw new HeedError('unsupported', `The embeddings must be numbers to add tokens, got ${quantized.constructor.name}`, {
      key: 'keepBlocks',
      remedy: 'Load the model with keepBlocks: false. For heed train, convert it to a folder first: heed convert.',
    }) // biome-ignore format: one line
  return { layers: layers.filter(isTable), rows }
}

/** Replaces the tables of a model; one that layers share stays shared. */
async function replaceRows(
  model: Module,
  layers: readonly Table[],
  size: number,
  made: (parameter: Parameter) => Promise<Parameter>,
): Promise<string[]> {
  const others = new Map<Parameter, Parameter>()
  const other = async (parameter: Parameter): Promise<Parameter> => {
    const known = others.get(parameter) ?? (await made(parameter))
    others.set(parameter, known)
    return known
  }
  const names = new Map(model.namedParameters().map(([name, parameter]) => [parameter, name]))
  for (const layer of layers) {
    layer.weight = await other(layer.weight)
    if (layer instanceof Linear && layer.bias) layer.bias = await other(layer.bias)
  }
  Object(model.config).vocab_size = size
  return [...others.keys()].map((parameter) => names.get(parameter) ?? '')
}

type Table = Embedding | Linear

const isTable = (layer: Module): layer is Table =>
  layer instanceof Embedding || layer instanceof Linear

/** A parameter (V, …) whose row i is the mean of the rows `pieces[i]`. */
async function withPieces(
  parameter: Parameter,
  pieces: readonly (readonly number[])[],
): Promise<Parameter> {
  const [rows, ...rest] = parameter.shape
  const width = rest.reduce((n, size) => n * size, 1)
  const old = await parameter.data()
  const all = new Float64Array(width)
  for (let i = 0; i < old.length; i++) all[i % width] += old[i] / rows
  const values = new Float32Array(pieces.length * width)
  pieces.forEach((ids, row) => {
    const to = values.subarray(row * width, (row + 1) * width)
    if (ids.length === 0) to.set(all)
    else
      for (const id of ids)
        for (let i = 0; i < width; i++) to[i] += old[id * width + i] / ids.length
  })
  return likeParameter(parameter, tensor(values, { shape: [pieces.length, ...rest] }))
}

/** A parameter (V, …) with further rows, which are the mean of the old ones. */
async function withMeans(parameter: Parameter, size: number): Promise<Parameter> {
  const [rows, ...rest] = parameter.shape
  const value = noGrad((): Tensor => {
    const old = parameter.detach()
    return cat([old, old.mean(0, true).expand(size - rows, ...rest)])
  })
  await realize([value])
  return likeParameter(parameter, value)
}

/** A parameter with another value, which is trained if the first one is. */
function likeParameter({ requiresGrad }: Parameter, value: Tensor): Parameter {
  const made = new Parameter(value)
  made.requiresGrad = requiresGrad
  return made
}
