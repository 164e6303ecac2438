// Function transformations: gradients, custom gradients, checkpointing, host functions.

import { gradients } from '../grad/backward.ts'
import { recompute } from '../grad/recompute.ts'
import * as g from '../graph/build.ts'
import { checkDType, type DType } from '../graph/dtype.ts'
import { type HostFunction, Node, untracked, upcomingId } from '../graph/node.ts'
import { checkShape, type Shape } from '../graph/shape.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { checkTensors, nodeOf, nodesOf } from './arguments.ts'
import { tensorOf } from './core.ts'
import type { Tensor } from './tensor.ts'

/** Runs `body` without recording gradients. Its results keep no graph for the backward pass. */
export function noGrad<T>(body: () => T): T {
  checkArgument('noGrad', 'body', body, 'function')
  return untracked(body)
}

/** Returns the same values without a gradient. */
export function stopGradient(x: Tensor): Tensor {
  checkTensors('stopGradient', { x })
  return x.detach()
}

/**
 * Returns the gradient function of a function with a scalar result: `grad(f)(x)`, or `grad(f, [0, 2])(x, y, z)` for
 * several arguments. Gradients can be differentiated again.
 * @throws ShapeError if the result of `f` has more than one element
 */
export function grad(f: (...args: Tensor[]) => Tensor): (...args: Tensor[]) => Tensor
export function grad(
  f: (...args: Tensor[]) => Tensor,
  argnums: number[],
): (...args: Tensor[]) => Tensor[]
export function grad(
  f: (...args: Tensor[]) => Tensor,
  argnums?: number[],
): (...args: Tensor[]) => Tensor | Tensor[] {
  checkFunction('grad', f, argnums)
  return (...args) => {
    const { grads } = differentiate('grad', f, args, argnums ?? [0])
    return argnums ? grads : grads[0]
  }
}

/** Like `grad`, but returns both the value and the gradients. */
export function valueAndGrad(
  f: (...args: Tensor[]) => Tensor,
  argnums: number[] = [0],
): (...args: Tensor[]) => { value: Tensor; grads: Tensor[] } {
  checkFunction('valueAndGrad', f, argnums)
  return (...args) => differentiate('valueAndGrad', f, args, argnums)
}

function checkFunction(op: string, f: unknown, argnums: readonly number[] = []): void {
  checkArgument(op, 'f', f, 'function')
  checkArgument(op, 'argnums', argnums, 'numbers')
}

function differentiate(
  op: string,
  f: (...args: Tensor[]) => Tensor,
  args: Tensor[],
  argnums: number[],
): { value: Tensor; grads: Tensor[] } {
  const fresh = args.map((arg, i) => {
    if (!argnums.includes(i)) return arg
    const node = g.alias(nodeOf(arg, op, `argument ${i}`))
    node.tracked = true
    return tensorOf(node)
  })
  const beyond = argnums.find((i) => !Number.isInteger(i) || i < 0 || i >= args.length)
  if (beyond !== undefined)
    throw wrongArgument(op, 'argnums', beyond, `the index of an argument (0 to ${args.length - 1})`)
  const value = f(...fresh)
  nodeOf(value, op, 'the result')
  if (value.size !== 1)
    throw new ShapeError(`grad(): the result must have one element, got ${value.size}`, {
      remedy: 'Reduce it first, for example with .sum().',
    })
  const wrt = argnums.map((i) => fresh[i].node)
  const found = gradients([value.node], [g.filled(1, value.shape)], wrt)
  const grads = found.map((grad, i) => tensorOf(grad ?? g.zerosLike(wrt[i])))
  return { value, grads }
}

/**
 * Defines a function with a custom gradient: `backward(dy, inputs, output)` returns the gradient of each input, or
 * null.
 */
export function customVjp(
  forward: (...inputs: Tensor[]) => Tensor,
  backward: (dy: Tensor, inputs: Tensor[], output: Tensor) => (Tensor | null)[],
): (...inputs: Tensor[]) => Tensor {
  checkArgument('customVjp', 'forward', forward, 'function')
  checkArgument('customVjp', 'backward', backward, 'function')
  return (...inputs) => {
    nodesOf(inputs, 'customVjp', 'inputs')
    const value = untracked(() => forward(...inputs))
    nodeOf(value, 'customVjp', 'the result of forward')
    const node = g.make('customVjp', [value.node, ...inputs.map((x) => x.node)], {})
    node.rule = (_, [dy]) => {
      if (!dy) return []
      const grads = backward(tensorOf(dy), inputs, tensorOf(value.node))
      return [null, ...grads.map((grad) => grad?.node ?? null)]
    }
    return tensorOf(node)
  }
}

/**
 * Computes `f` without storing its intermediate values, and again in the backward pass (gradient checkpointing, Chen et
 * al., 2016). Random draws repeat. Parameters and other tensors that `f` uses get their gradients as usual.
 */
export function checkpoint(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  checkArgument('checkpoint', 'f', f, 'function')
  nodesOf(inputs, 'checkpoint', 'inputs')
  const since = upcomingId()
  const value = f(...inputs)
  nodeOf(value, 'checkpoint', 'the result')
  const ends = inputs.map((x) => x.node)
  return tensorOf(recompute(value.node, ends, since))
}

/**
 * Calls a JavaScript function within a program, which is split there. The function gets copies of the inputs' values
 * and returns the values of the result. It has no gradient.
 */
export function hostCall(
  f: HostFunction,
  inputs: Tensor[],
  shape: Shape,
  dtype: DType = 'f32',
): Tensor {
  checkArgument('hostCall', 'f', f, 'function')
  nodesOf(inputs, 'hostCall', 'inputs')
  checkShape(shape, 'hostCall')
  checkDType(dtype, 'hostCall')
  const node = new Node(
    'hostCall',
    inputs.map((x) => x.node),
    { shape, dtype },
    { shape, dtype },
  )
  node.tracked = false
  node.host = f
  return tensorOf(node)
}
