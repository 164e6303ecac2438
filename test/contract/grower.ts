// Grows random graphs: shared nodes, several outputs, views and joins between kernels, state that is
// assigned on the way. All values stay between -1 and 1, so that errors do not grow.
import * as g from '../../src/graph/build.ts'
import type { Node } from '../../src/graph/node.ts'
import type { Unary } from '../../src/graph/ops.ts'
import { broadcastShapes, countOf, type Shape, sameShape } from '../../src/graph/shape.ts'
import type { Sampler } from './sampler.ts'

const none = {}
const bounded: Unary[] = ['neg', 'abs', 'sin', 'cos', 'tanh', 'sigmoid', 'erf']

type Kind = 'pointwise' | 'view' | 'join' | 'reduction' | 'kernel' | 'assignment'

export class Grower {
  private readonly draw: Sampler
  private readonly pool: Node[] = []
  /** The newest version of each state. */
  private readonly states: Node[] = []
  /** Parts that were computed at one step and are joined at a later one. */
  private readonly waiting: { parts: Node[]; axis: number }[] = []

  constructor(draw: Sampler, shape: Shape) {
    this.draw = draw
    this.pool.push(draw.operand(shape, 'f32', -1, 1), draw.operand(shape, 'f32', -1, 1))
    this.pool.push(draw.leaf(shape.slice(-1), 'f32', -1, 1), draw.leaf([], 'f32', -1, 1))
  }

  /** State that `assignment` steps write. */
  addState(shape: Shape): void {
    const leaf = this.draw.leaf(shape, 'f32', -1, 1)
    this.states.push(leaf)
    const axis = this.draw.axis(shape)
    const whole = this.draw.leaf(shape, 'f32', -1, 1)
    if (this.draw.chance()) this.waiting.push({ parts: halves(whole, axis), axis })
    this.pool.push(leaf)
  }

  /** Adds this many nodes. */
  grow(steps: number, kinds: readonly Kind[]): void {
    for (let i = 0; i < steps; i++) {
      const node = this.step(this.draw.one(kinds))
      if (countOf(node.shape) <= 3000) this.pool.push(node)
    }
  }

  /** Some of the values, the last among them, and all state that was assigned. */
  outputs(): Node[] {
    const assigned = this.states.filter((node) => node.op !== 'buffer')
    const some = Array.from({ length: this.draw.whole(0, 3) }, () => this.value())
    const picked = [this.pool[this.pool.length - 1], ...some]
    const values = picked.filter((node) => node.op !== 'assign' && node.op !== 'assignAt')
    return [...assigned, ...values]
  }

  private step(kind: Kind): Node {
    switch (kind) {
      case 'pointwise':
        return this.pointwise()
      case 'view':
        return this.view(this.value())
      case 'join':
        return this.join()
      case 'reduction':
        return this.reduction()
      case 'kernel':
        return this.kernel()
      case 'assignment':
        return this.assignment()
    }
  }

  /** New values more often than old ones. */
  private value(): Node {
    const last = this.pool.length - 1
    return this.pool[
      this.draw.chance() ? this.draw.whole(0, last) : this.draw.whole(last >> 1, last)
    ]
  }

  private pointwise(): Node {
    const x = this.value()
    if (this.draw.chance(0.3)) return g.unary(this.draw.one(bounded), x)
    const y = this.partner(x)
    switch (this.draw.whole(0, 5)) {
      case 0:
        return g.scale(g.add(x, y), 0.5)
      case 1:
        return g.scale(g.sub(y, x), 0.5)
      case 2:
        return g.mul(x, y)
      case 3:
        return g.binary(this.draw.one(['maximum', 'minimum'] as const), x, y)
      case 4:
        return g.where(this.draw.operand(this.draw.broadcastable(x.shape), 'bool'), x, y)
      default:
        return g.make('silu', [g.mul(x, y)], none)
    }
  }

  /** A value that broadcasts with `x`. */
  private partner(x: Node): Node {
    const y = this.value()
    if (this.draw.chance(0.8) && broadcasts(x.shape, y.shape)) return y
    return this.fitted(y, this.draw.broadcastable(x.shape))
  }

  /** A value in this shape, whatever its own. */
  private fitted(x: Node, shape: Shape): Node {
    if (sameShape(x.shape, shape)) return x
    const [have, want] = [countOf(x.shape), countOf(shape)]
    const flat = g.reshape(x, [have])
    const sized =
      have >= want ? g.narrow(flat, 0, have - want, want) : g.pad(flat, [0], [want - have])
    return g.reshape(sized, shape)
  }

  private view(x: Node): Node {
    const rank = x.shape.length
    switch (this.draw.whole(0, 4)) {
      case 0:
        return g.permute(x, this.draw.order(rank))
      case 1:
        return g.flip(x, this.draw.axes(x.shape))
      case 2:
        return g.reshape(x, this.draw.regrouped(x.shape))
      case 3:
        return g.expand(x, [this.draw.whole(1, 2), ...x.shape].slice(rank > 3 ? 1 : 0))
      default: {
        const sizes = x.shape.map((n) => this.draw.whole(1, n))
        return g.slice(
          x,
          x.shape.map((n, i) => this.draw.whole(0, n - sizes[i])),
          sizes,
        )
      }
    }
  }

  private join(): Node {
    const x = this.value()
    const rank = x.shape.length
    if (rank === 0 || this.draw.chance(0.2)) {
      const amounts = (): number[] => x.shape.map(() => this.draw.whole(0, 1))
      return g.pad(x, amounts(), amounts())
    }
    const axis = this.draw.axis(x.shape)
    const parts = Array.from({ length: this.draw.whole(1, 3) }, () => this.beside(x, axis))
    parts.splice(this.draw.whole(0, parts.length), 0, x)
    return g.concat(parts, axis)
  }

  /** A value that fits beside `x` along an axis, made for this or just a view. */
  private beside(x: Node, axis: number): Node {
    const made = this.draw.one(['old', 'view', 'computed', 'kernel', 'same'] as const)
    if (made === 'same') return x
    const shape = x.shape.map((n, i) => (i === axis ? this.draw.whole(1, 3) : n))
    const y = this.fitted(this.value(), shape)
    if (made === 'old') return y
    if (made === 'computed') return g.unary('sin', y)
    if (made === 'kernel') return g.make('softmax', [y], none)
    const order = this.draw.order(shape.length)
    const back = order.map((_, i) => order.indexOf(i))
    return g.permute(g.unary('cos', g.permute(y, order)), back)
  }

  private reduction(): Node {
    const x = this.value()
    const axes = this.draw.axes(x.shape)
    const keep = this.draw.chance()
    if (this.draw.chance()) return g.mean(x, axes, keep)
    return g.reduce(this.draw.one(['amax', 'amin'] as const), x, axes, keep)
  }

  private kernel(): Node {
    const x = this.value()
    if (x.shape.length === 0) return g.unary('sin', x)
    const last = x.shape.length - 1
    const axis = this.draw.axis(x.shape)
    switch (this.draw.whole(0, 6)) {
      case 0:
        return g.make('softmax', [x], none)
      case 1:
        return g.make('cummax', [x], { axis })
      case 2:
        return g.take(x, this.draw.operand([3], 'i32', 0, x.shape[axis]), axis)
      case 3: {
        const gamma = this.fitted(this.value(), x.shape.slice(-1))
        const [y, rstd] = g.outputs(g.make('rmsNorm', [x, gamma], { eps: 0.1 }))
        return g.tanh(this.draw.chance() ? y : g.mul(g.unsqueeze(rstd, [last]), y))
      }
      case 4: {
        const wide = this.fitted(this.value(), [x.shape[last], this.draw.whole(1, 4)])
        const product = g.scale(
          g.matmul(last > 0 ? x : g.unsqueeze(x, [0]), wide),
          1 / x.shape[last],
        )
        if (this.draw.chance()) return product
        return g.tanh(g.add(g.matmul(last > 0 ? x : g.unsqueeze(x, [0]), wide), this.row(product)))
      }
      case 5: {
        const source = this.fitted(this.value(), resized(x.shape, axis, 1))
        const offset = g.scalar(this.draw.whole(0, x.shape[axis] - 1), 'i32')
        return g.make('updateAt', [x, source, offset], { axis })
      }
      default: {
        const k = this.draw.whole(1, x.shape[last])
        return g.pick(g.make('topk', [x], { axis: last, k, largest: true }), 0)
      }
    }
  }

  private row(x: Node): Node {
    return this.fitted(this.value(), x.shape.slice(-1))
  }

  private assignment(): Node {
    const at = this.draw.whole(0, this.states.length - 1)
    const target = this.states[at]
    const part = this.draw.chance(0.4)
    const axis = this.draw.axis(target.shape)
    const size = part ? this.draw.whole(1, target.shape[axis]) : target.shape[axis]
    const shape = resized(target.shape, axis, size)
    let value = this.fitted(this.value(), shape)
    if (this.draw.chance(0.4))
      value = g.unary('sin', g.mul(value, this.fitted(this.value(), shape)))
    if (this.draw.chance(0.2)) value = g.flip(value, this.draw.axes(shape))
    if (this.draw.chance(0.3)) value = this.joined(value, axis)
    const offset = g.scalar(this.draw.whole(0, target.shape[axis] - size), 'i32')
    const node = part
      ? g.make('assignAt', [target, value, offset], { axis })
      : g.make('assign', [target, value], none)
    this.states[at] = node
    return node
  }

  /** Halves of `x`, or of something of its shape that has waited, side by side. */
  private joined(x: Node, axis: number): Node {
    this.waiting.push({ parts: halves(x, axis), axis })
    const [next] = this.waiting.splice(0, 1)
    const whole = g.concat(next.parts, next.axis)
    return sameShape(whole.shape, x.shape) ? whole : g.concat(halves(x, axis).reverse(), axis)
  }
}

const resized = (shape: Shape, axis: number, size: number): number[] =>
  shape.map((n, i) => (i === axis ? size : n))

/** Computed apart, so that they may be written straight into their place. */
function halves(x: Node, axis: number): Node[] {
  const n = x.shape[axis]
  const half = n >> 1
  return [
    g.unary('sin', g.narrow(x, axis, 0, half)),
    g.unary('cos', g.narrow(x, axis, half, n - half)),
  ]
}

function broadcasts(a: Shape, b: Shape): boolean {
  try {
    return sameShape(broadcastShapes(a, b), a)
  } catch {
    return false
  }
}
