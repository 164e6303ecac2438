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

/** ReLU: max(x, 0), element-wise. */
export class ReLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.relu()
  }
}

/** GELU: x·Φ(x), or its tanh approximation (Hendrycks and Gimpel, 2016). */
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

/** SiLU (swish): x·sigmoid(x). */
export class SiLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.silu()
  }
}

/** Sigmoid: 1/(1 + exp(-x)). */
export class Sigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.sigmoid()
  }
}

/** Logarithm of the sigmoid, computed without overflow. */
export class LogSigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.logSigmoid()
  }
}

/** Hyperbolic tangent. */
export class Tanh extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.tanh()
  }
}

/** Softplus: log(1 + exp(x)). */
export class Softplus extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.softplus()
  }
}

/** Mish: x·tanh(softplus(x)) (Misra, 2019). */
export class Mish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.mish()
  }
}

/** Hardswish: x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019). */
export class Hardswish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.hardswish()
  }
}

/** Leaky ReLU: x where x > 0, slope·x elsewhere. */
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

/** ELU: x where x > 0, alpha·(exp(x) - 1) elsewhere (Clevert et al., 2016). */
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

/** Softmax along an axis: non-negative values that sum to 1. */
export class Softmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.softmax(this.axis)
  }
}

/** Logarithm of the softmax along an axis, computed stably. */
export class LogSoftmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.logSoftmax(this.axis)
  }
}

/** GLU: the first half of an axis times the sigmoid of its second half (Dauphin et al., 2017). */
export class GLU extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return F.glu(x, this.axis)
  }
}
