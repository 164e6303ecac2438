import { alias } from '../graph/build.ts'
import { nodeOf } from './arguments.ts'
import { setWrap } from './core.ts'
import { Selections } from './selections.ts'

/**
 * A lazy, immutable multi-dimensional array. Operations check shapes and dtypes immediately but compute nothing.
 * Reading (`await t.data()`, `item()`, `text()`) computes. Only `assign` changes the values of a tensor.
 *
 * Operations have PyTorch's names.
 */
// Each family of operations extends the previous one: elementwise.ts, trigonometry.ts, reductions.ts, views.ts,
// arrangements.ts, indexing.ts, statistics.ts, selections.ts.
export class Tensor extends Selections {
  static {
    setWrap((node) => new Tensor(node))
  }
}

/** A trainable tensor: it requires a gradient, and modules list it as a parameter. */
export class Parameter extends Tensor {
  /** Creates a parameter with the values of `initial`, which is not changed. */
  constructor(initial: Tensor) {
    // Values that are already computed belong to `initial` and are copied.
    const node = nodeOf(initial, 'Parameter', 'initial')
    super(node.place ? alias(node) : node)
    this.becomeState()
    this.requiresGrad = true
  }
}
