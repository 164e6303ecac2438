// Draws shapes, numbers and strided operands for properties.
import fc, { type GeneratorValue } from 'fast-check'
import * as g from '../../src/graph/build.ts'
import { arrayOf, type DType, isFloat } from '../../src/graph/dtype.ts'
import type { Node } from '../../src/graph/node.ts'
import { countOf, type Shape } from '../../src/graph/shape.ts'
import { randomUniform } from '../../src/util/random.ts'

/** A search: so many times the runs of a test, and other draws at each start. */
const soak = Number(process.env.HEED_SOAK ?? 0)

/** `body` on `runs` sets of draws, always the same ones; a failure is shrunk. */
export const property =
  (runs: number, body: (draw: Sampler) => Promise<void>) => (): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.gen(), (gen) => body(new Sampler(gen))),
      {
        seed: soak ? Date.now() : 7,
        numRuns: runs * Math.max(soak, 1),
        includeErrorInReport: true,
      },
    )

const sizes = [1, 2, 3, 5, 17, 33, 65]
const dtypes: DType[] = ['f32', 'i32', 'u32', 'u8', 'bool']

export class Sampler {
  /** The float leaves made so far: what gradients are asked for. */
  readonly leaves: Node[] = []
  private readonly gen: GeneratorValue

  constructor(gen: GeneratorValue) {
    this.gen = gen
  }

  whole(min: number, max: number): number {
    return this.gen(fc.integer, { min, max })
  }

  chance(share = 0.5): boolean {
    return this.whole(0, 999) < share * 1000
  }

  one<T>(list: readonly T[]): T {
    return list[this.whole(0, list.length - 1)]
  }

  dtype(): DType {
    return this.one(dtypes)
  }

  /** Rank 0 to 5 with at most `limit` elements, now and then with none. */
  shape({ min = 0, max = 5, limit = 3000 } = {}): number[] {
    const out: number[] = []
    let room = limit
    for (let rank = this.whole(min, max); rank > 0; rank--) {
      const size = this.chance(0.02) ? 0 : this.one(sizes.filter((n) => n <= room))
      room = Math.floor(room / Math.max(size, 1))
      out.push(size)
    }
    return out
  }

  /** As `shape`, but every size at least 1. */
  filledShape(options: { min?: number; max?: number; limit?: number } = {}): number[] {
    return this.shape(options).map((n) => Math.max(n, 1))
  }

  /** A shape that broadcasts with `shape` to `shape`. */
  broadcastable(shape: Shape): number[] {
    const cut = this.chance(0.3) ? this.whole(0, shape.length) : 0
    return shape.slice(cut).map((n) => (this.chance(0.3) ? 1 : n))
  }

  axis(shape: Shape): number {
    return this.whole(0, Math.max(shape.length - 1, 0))
  }

  axes(shape: Shape): number[] {
    return shape.map((_, i) => i).filter(() => this.chance())
  }

  order(rank: number): number[] {
    const out = Array.from({ length: rank }, (_, i) => i)
    for (let i = rank - 1; i > 0; i--) {
      const j = this.whole(0, i)
      ;[out[i], out[j]] = [out[j], out[i]]
    }
    return out
  }

  /** Memory with random contents; some floats repeat, so that there are ties. */
  leaf(shape: Shape, dtype: DType = 'f32', low = -2, high = 2): Node {
    const seed = this.whole(0, 2 ** 31 - 1)
    const few = isFloat(dtype) && this.chance(0.1)
    const data = arrayOf(dtype, countOf(shape))
    for (let i = 0; i < data.length; i++) {
      const x = low + (high - low) * randomUniform(seed, 0, i)
      data[i] = dtype === 'bool' ? Number(x > (low + high) / 2) : few ? Math.round(x * 2) / 2 : x
    }
    const leaf = g.leaf(data, shape, dtype)
    if (isFloat(dtype)) {
      leaf.tracked = true
      this.leaves.push(leaf)
    }
    return leaf
  }

  /** A leaf behind some views, so that its strides are anything. */
  operand(shape: Shape, dtype: DType = 'f32', low = -2, high = 2): Node {
    return this.viewed(shape, this.whole(0, 3), (inner) => this.leaf(inner, dtype, low, high))
  }

  /** Integers from the whole range of the dtype, and small ones. */
  integers(shape: Shape, dtype: DType): Node {
    const [low, high] = this.chance() ? [-6, 6] : [-(2 ** 31), 2 ** 31 - 1]
    const shift = dtype === 'u32' ? -low : 0
    return this.operand(shape, dtype, low + shift, high + shift)
  }

  /** An operand of any dtype. */
  any(shape: Shape, dtype: DType): Node {
    return isFloat(dtype) ? this.operand(shape) : this.integers(shape, dtype)
  }

  /** `count` views in front of what `make` gives, the last of shape `shape`. */
  viewed(shape: Shape, count: number, make: (shape: Shape) => Node): Node {
    if (count === 0) return make(shape)
    const inner = (before: Shape): Node => this.viewed(before, count - 1, make)
    const kind = this.one(['permute', 'slice', 'flip', 'expand', 'reshape'] as const)
    switch (kind) {
      case 'permute': {
        const order = this.order(shape.length)
        const before = new Array<number>(shape.length)
        order.forEach((axis, i) => {
          before[axis] = shape[i]
        })
        return g.permute(inner(before), order)
      }
      case 'slice': {
        const steps = shape.map(() => this.whole(1, 3))
        const starts = shape.map(() => this.whole(0, 2))
        const before = shape.map(
          (n, i) => starts[i] + Math.max(0, n - 1) * steps[i] + 1 + this.whole(0, 2),
        )
        if (countOf(before) > 20_000) return inner(shape)
        return g.slice(inner(before), starts, shape, steps)
      }
      case 'flip':
        return g.flip(inner(shape), this.axes(shape))
      case 'expand':
        return g.expand(inner(this.broadcastable(shape)), shape)
      case 'reshape':
        return g.reshape(inner(this.regrouped(shape)), shape)
    }
  }

  /** Another shape with as many elements. */
  regrouped(shape: Shape): number[] {
    const out = [...shape]
    for (let i = this.whole(0, 2); i > 0 && out.length > 1; i--) {
      const at = this.whole(0, out.length - 2)
      out.splice(at, 2, out[at] * out[at + 1])
    }
    if (this.chance(0.3)) out.splice(this.whole(0, out.length), 0, 1)
    return out.length > 6 ? [...shape] : out
  }
}
