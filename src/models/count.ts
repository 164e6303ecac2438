// Parameters, operations and memory of a model, counted from shapes: its graph is built and nothing is computed.

import { isOp, type Node } from '../graph/node.ts'
import type { Shape } from '../graph/shape.ts'
import type { KVCache, Module } from '../nn/index.ts'
import { trace } from '../runtime/trace.ts'
import { attentionFlops } from '../schedule/cost.ts'
import { Tensor, zeros } from '../tensor/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { invalidOption } from '../util/errors.ts'

/** Any model of the registry. */
export interface Countable extends Module {
  readonly contextLength?: number
  /** Of models that read images, which are counted by the image. */
  readonly imageShape?: readonly number[]
  forward(...inputs: never[]): unknown
  createCache?(room: { capacity: number; sourceLength?: number }): KVCache
}

export interface Component {
  /** Path of the module; numbered siblings are counted together: `h.*.attn`. */
  name: string
  /** How many siblings there are. */
  copies: number
  /** Of all copies; what is shared with a component before counts there. */
  parameters: number
  /** Floating-point operations of matrix products and attention in a forward pass, per token. */
  flops: number
}

export interface ModelCount {
  /** What FLOPs are told for. */
  unit: 'token' | 'image'
  components: Component[]
  parameters: number
  /** Tokens at once, of which FLOPs are the mean: later tokens attend to more. */
  context: number
  /** Per token; a multiply-add is two. */
  forwardFlops: number
  /** Forward and backward pass, per token. */
  trainingFlops: number
  /** f32 keys and values of a full context; 0 for models that have no cache. */
  cacheBytes: number
}

const checkCountModel = argumentKinds('countModel', { model: 'model', context: 'any' })

/** @param given tokens at once; by default as many as the model can see */
export function countModel(model: Countable, given?: number): ModelCount {
  checkCountModel(model, given)
  const context = given === undefined ? contextOf(model) : given
  const most = model.imageShape ? 1 : (model.contextLength ?? LONGEST)
  if (!Number.isInteger(context) || context < 1 || context > most)
    throw invalidOption({
      key: 'context',
      value: context,
      expected: model.imageShape
        ? 'left out for a model that reads images'
        : `a whole number from 1 to ${most}`,
      try: model.imageShape ? undefined : { context: [most] },
      remedy: model.imageShape ? 'Leave it out.' : undefined,
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

const LONGEST = 4096 // models without a limit, and those with limits that nobody fills, are counted at this

const contextOf = ({ imageShape, contextLength = LONGEST }: Countable): number =>
  imageShape ? 1 : Math.min(contextLength, LONGEST)

/** Models of two texts (encoder and decoder) get both, of one length. */
function callWithZeros(model: Countable, tokens: number): unknown {
  const forward = model.forward as unknown as (...inputs: Tensor[]) => unknown
  if (model.imageShape) {
    model.eval() // one image has no statistics of a batch
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

/** FLOPs by module path. */
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

/** In the order in which the model names its modules. */
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

/** A cache for two tokens is made, to see how it grows. */
function cacheBytes(model: Countable, context: number): number {
  const room = { capacity: 2, ...(readsTwoTexts(model) && { sourceLength: 1 }) }
  const layers = model.createCache?.(room).layers ?? []
  const elements = layers.reduce((n, { keys, values }) => n + keys.size + values.size, 0)
  return (elements / 2) * 4 * context
}

const sizeOf = (shape: Shape): number => shape.reduce((n, size) => n * size, 1)

const sum = (flops: ReadonlyMap<string, number>): number =>
  [...flops.values()].reduce((a, b) => a + b, 0)
