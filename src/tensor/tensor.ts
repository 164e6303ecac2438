import { alias } from '../graph/build.ts'
import { setWrap } from './core.ts'
import { Indexing } from './indexing.ts'

/**
 * A lazy, immutable value: operations check shapes and dtypes at once and compute nothing. Reading
 * (`await t.data()`, `item()`, `text()`) computes; only `assign` changes what a tensor holds.
 *
 * The operations are PyTorch's, in families: elementwise.ts, reductions.ts, views.ts, indexing.ts.
 */
export class Tensor extends Indexing {
  static {
    setWrap((node) => new Tensor(node))
  }
}

/** A tensor that is trained: it requires a gradient, and modules list it. */
export class Parameter extends Tensor {
  constructor(initial: Tensor) {
    // Computed values belong to `initial`: they are copied.
    super(initial.node.place ? alias(initial.node) : initial.node)
    this.becomeState()
    this.requiresGrad = true
  }
}
