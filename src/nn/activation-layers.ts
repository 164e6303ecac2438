// Activation functions as modules, named as in PyTorch. They have no parameters.

import { checkTensors } from '../tensor/arguments.ts'
import { F, type Tensor } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { Module } from './module.ts'

/** A module that applies a function to a tensor. */
abstract class Activation extends Module {
  protected abstract activate(x: Tensor): Tensor

  forward(x: Tensor): Tensor {
    checkTensors(this.constructor.name, { x })
    return this.activate(x)
  }
}

/** ReLU: max(x, 0) (Nair and Hinton, 2010). Element-wise. */
export class ReLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.relu()
  }
}

/** GELU: x·Φ(x), or its tanh approximation (Hendrycks and Gimpel, 2016). Element-wise. */
export class GELU extends Activation {
  /** The formula: 'none' for x·Φ(x), 'tanh' for the approximation. */
  readonly approximate: 'none' | 'tanh'

  /** Creates the layer. Default 'none'. @throws HeedError for another value */
  constructor(approximate: 'none' | 'tanh' = 'none') {
    super()
    if (approximate !== 'none' && approximate !== 'tanh')
      throw wrongArgument('GELU', 'approximate', approximate, "'none' or 'tanh'")
    this.approximate = approximate
  }

  protected activate(x: Tensor): Tensor {
    return x.gelu(this.approximate)
  }
}

/** SiLU (swish): x·sigmoid(x) (Elfwing et al., 2018). Element-wise. */
export class SiLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.silu()
  }
}

/** Sigmoid: 1/(1 + exp(-x)). Element-wise. */
export class Sigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.sigmoid()
  }
}

/** Logarithm of the sigmoid, computed without overflow. Element-wise. */
export class LogSigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.logSigmoid()
  }
}

/** Hyperbolic tangent. Element-wise. */
export class Tanh extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.tanh()
  }
}

/** Softplus: log(1 + exp(x)) (Dugas et al., 2001). Element-wise. */
export class Softplus extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.softplus()
  }
}

/** Mish: x·tanh(softplus(x)) (Misra, 2019). Element-wise. */
export class Mish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.mish()
  }
}

/** Hardswish: x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019). Element-wise. */
export class Hardswish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.hardswish()
  }
}

/** Leaky ReLU: x where x > 0, slope·x elsewhere (Maas et al., 2013). Element-wise. */
export class LeakyReLU extends Activation {
  /** Factor of negative numbers. */
  readonly slope: number

  /** Creates the layer. Default slope 0.01. */
  constructor(slope = 0.01) {
    super()
    checkArgument('LeakyReLU', 'slope', slope, 'number')
    this.slope = slope
  }

  protected activate(x: Tensor): Tensor {
    return x.leakyRelu(this.slope)
  }
}

/** ELU: x where x > 0, alpha·(exp(x) - 1) elsewhere (Clevert et al., 2016). Element-wise. */
export class ELU extends Activation {
  /** The limit for x → -∞ is -alpha. */
  readonly alpha: number

  /** Creates the layer. Default alpha 1. */
  constructor(alpha = 1) {
    super()
    checkArgument('ELU', 'alpha', alpha, 'number')
    this.alpha = alpha
  }

  protected activate(x: Tensor): Tensor {
    return x.elu(this.alpha)
  }
}

/** An activation function along one axis. Default: the last axis. */
abstract class AxisActivation extends Activation {
  /** The axis. Negative ones count from the end. */
  readonly axis: number

  /** Creates the layer. Default: the last axis. */
  constructor(axis = -1) {
    super()
    checkArgument(new.target.name, 'axis', axis, 'integer')
    this.axis = axis
  }
}

/** Softmax along an axis: non-negative values that sum to 1. The shape is kept. */
export class Softmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.softmax(this.axis)
  }
}

/** Logarithm of the softmax along an axis, computed stably. The shape is kept. */
export class LogSoftmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.logSoftmax(this.axis)
  }
}

/**
 * GLU: the first half of an axis times the sigmoid of its second half (Dauphin et al., 2017): (..., 2·C) -> (..., C).
 */
export class GLU extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return F.glu(x, this.axis)
  }
}
