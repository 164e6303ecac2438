// Counts parameters, operations and memory of a model from shapes. Builds its graph but computes nothing.

import { isOp, type Node } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import type { KVCache, Module } from '../nn/index.ts'
import { trace } from '../runtime/trace.ts'
import { attentionFlops } from '../schedule/cost.ts'
import { Tensor, zeros } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { invalidOption } from '../util/errors.ts'

/** A model that can be counted, such as any registered model. */
export interface Countable extends Module {
  /** Maximum number of tokens. */
  readonly contextLength?: number
  /** Shape of the input, for models that read images. Their counts are per image. */
  readonly imageShape?: readonly number[]
  forward(...inputs: never[]): unknown
  /** Creates a cache for `capacity` tokens, and for `sourceLength` source tokens in an encoder-decoder model. */
  createCache?(room: { capacity: number; sourceLength?: number }): KVCache
}

/** Counts of one component of a model. */
export interface Component {
  /** Path of the module. Numbered siblings are combined: `h.*.attn`. */
  name: string
  /** Number of siblings. */
  copies: number
  /** Parameters of all copies. Parameters shared with an earlier component are counted there. */
  parameters: number
  /** Floating-point operations of matrix products and attention in a forward pass, per token or image. */
  flops: number
}

/** The result of `countModel`. */
export interface ModelCount {
  /** Unit of the FLOPs. */
  unit: 'token' | 'image'
  /** The components in the order of the model. Their sums are the counts of the model. */
  components: Component[]
  /** Number of parameters. Shared ones count once. */
  parameters: number
  /** Number of tokens in the sequence. FLOPs are the mean over it, because later tokens attend to more keys. */
  context: number
  /** FLOPs of a forward pass per token or image. A multiply-add counts as two. */
  forwardFlops: number
  /** FLOPs of a forward and backward pass per token or image. */
  trainingFlops: number
  /** Bytes of f32 keys and values for a full context; 0 for models without a cache. */
  cacheBytes: number
}

const checkCountModel = argumentKinds('countModel', { model: 'model', context: 'any' })

/**
 * Counts the parameters, FLOPs and cache size of a model by component.
 * @param given number of tokens. Default: the context length of the model, at most 4096
 * @throws HeedError for a context that the model does not support
 */
export function countModel(model: Countable, given?: number): ModelCount {
  checkCountModel(model, given)
  const context = given === undefined ? contextOf(model) : given
  const most = model.imageShape ? 1 : (model.contextLength ?? LONGEST)
  if (!Number.isInteger(context) || context < 1 || context > most)
    throw invalidOption({
      key: 'context',
      value: context,
      expected: model.imageShape
        ? 'omitted for a model that reads images'
        : `a whole number from 1 to ${most}`,
      try: model.imageShape ? undefined : { context: [most] },
      remedy: model.imageShape ? 'Omit it.' : undefined,
    })
  const outputs = tensorsIn(callWithZeros(model, context))
  const forward = flopsOf(outputs.map(({ node }) => node))
  for (const output of outputs) output.sum().backward()
  const gradients = model.parameters().flatMap(({ grad }) => (grad ? [grad.node] : []))
  const training = flopsOf([...outputs.map(({ node }) => node), ...gradients])
  const components = componentsOf(model, forward)
  for (const component of components) component.flops /= context
  return {
    unit: model.imageShape ? 'image' : 'token',
    components,
    parameters: components.reduce((n, { parameters }) => n + parameters, 0),
    context,
    forwardFlops: sum(forward) / context,
    trainingFlops: sum(training) / context,
    cacheBytes: cacheBytes(model, context),
  }
}

const LONGEST = 4096 // context for models without a limit, and for those with a larger limit

const contextOf = ({ imageShape, contextLength = LONGEST }: Countable): number =>
  imageShape ? 1 : Math.min(contextLength, LONGEST)

/** Encoder-decoder models get a source and a target of the same length. */
function callWithZeros(model: Countable, tokens: number): unknown {
  const forward = model.forward as unknown as (...inputs: Tensor[]) => unknown
  if (model.imageShape) {
    model.eval() // batch statistics of one image are undefined
    return forward(zeros([1, ...model.imageShape]))
  }
  const ids = zeros([1, tokens], 'i32')
  return readsTwoTexts(model) ? forward(ids, ids) : forward(ids)
}

const readsTwoTexts = (model: Countable): boolean => 'encode' in model

function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output]
  return Object.values(output as object).flatMap(tensorsIn)
}

/** FLOPs, keyed by module path. */
function flopsOf(outputs: readonly Node[]): Map<string, number> {
  const found = new Map<string, number>()
  for (const node of trace(outputs).nodes) {
    const flops = flopsOfNode(node)
    if (flops > 0) found.set(node.scope, (found.get(node.scope) ?? 0) + flops)
  }
  return found
}

function flopsOfNode(node: Node): number {
  const shapes = node.inputs.map(({ shape }) => shape)
  if (isOp(node, 'matmul')) return 2 * sizeOf(node.shape) * (shapes[0].at(-1) ?? 1)
  if (isOp(node, 'convolution')) return 2 * sizeOf(node.shape) * sizeOf(shapes[1].slice(1))
  if (isOp(node, 'convolutionInput')) return 2 * sizeOf(shapes[0]) * sizeOf(shapes[1].slice(1))
  if (isOp(node, 'convolutionWeight')) return 2 * sizeOf(shapes[1]) * sizeOf(node.shape.slice(1))
  if (!isOp(node, 'attention') && !isOp(node, 'attentionBackward')) return 0
  return attentionFlops(shapes, node.attrs.causal)[node.op]
}

/** Counts by component, in the order of the model's modules. */
function componentsOf(model: Module, flops: ReadonlyMap<string, number>): Component[] {
  const found = new Map<string, Component & { paths: Set<string> }>()
  const at = (path: string): Component => {
    const name = path.replace(/(^|\.)\d+(?=\.|$)/g, '$1*')
    const one = found.get(name) ?? { name, copies: 0, parameters: 0, flops: 0, paths: new Set() }
    found.set(name, one)
    one.copies = one.paths.add(path).size
    return one
  }
  for (const [path] of model.namedModules()) at(path)
  for (const [name, { size }] of model.namedParameters())
    at(name.replace(/\.?[^.]*$/, '')).parameters += size
  for (const [path, value] of flops) at(path).flops += value
  return [...found.values()]
    .filter(({ parameters, flops }) => parameters > 0 || flops > 0)
    .map(({ paths: _, ...component }) => component)
}

/** Bytes of the cache, extrapolated from a cache for two tokens. */
function cacheBytes(model: Countable, context: number): number {
  const room = { capacity: 2, ...(readsTwoTexts(model) && { sourceLength: 1 }) }
  const layers = model.createCache?.(room).layers ?? []
  const elements = layers.reduce((n, { keys, values }) => n + keys.size + values.size, 0)
  return (elements / 2) * 4 * context
}

const sizeOf = (shape: Shape): number => shape.reduce((n, size) => n * size, 1)

const sum = (flops: ReadonlyMap<string, number>): number =>
  [...flops.values()].reduce((a, b) => a + b, 0)
