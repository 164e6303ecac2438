import { alias } from '../graph/build.ts'
import { nodeOf } from './arguments.ts'
import { setWrap } from './core.ts'
import { Selections } from './selections.ts'

/**
 * A lazy, immutable value: operations check shapes and dtypes at once and compute nothing. Reading
 * (`await t.data()`, `item()`, `text()`) computes; only `assign` changes what a tensor holds.
 *
 * The operations are PyTorch's, in families, each on top of the last: elementwise.ts, trigonometry.ts, reductions.ts,
 * views.ts, arrangements.ts, indexing.ts, statistics.ts, selections.ts.
 */
export class Tensor extends Selections {
  static {
    setWrap((node) => new Tensor(node))
  }
}

/** A tensor that is trained: it requires a gradient, and modules list it. */
export class Parameter extends Tensor {
  constructor(initial: Tensor) {
    // Computed values belong to `initial`: they are copied.
    const node = nodeOf(initial, 'Parameter', 'initial')
    super(node.place ? alias(node) : node)
    this.becomeState()
    this.requiresGrad = true
  }
}
