// Activations as modules, with PyTorch's names. None has parameters.

import { checkTensors } from '../tensor/arguments.ts'
import { F, type Tensor } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { Module } from './module.ts'

/** A function of a tensor as a module. */
abstract class Activation extends Module {
  protected abstract activate(x: Tensor): Tensor

  forward(x: Tensor): Tensor {
    checkTensors(this.constructor.name, { x })
    return this.activate(x)
  }
}

/** max(x, 0). */
export class ReLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.relu()
  }
}

/** x·Φ(x), or its tanh approximation (Hendrycks and Gimpel, 2016). */
export class GELU extends Activation {
  readonly approximate: 'none' | 'tanh'

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

/** x·sigmoid(x). */
export class SiLU extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.silu()
  }
}

export class Sigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.sigmoid()
  }
}

export class LogSigmoid extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.logSigmoid()
  }
}

export class Tanh extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.tanh()
  }
}

/** log(1 + exp(x)). */
export class Softplus extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.softplus()
  }
}

/** x·tanh(softplus(x)) (Misra, 2019). */
export class Mish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.mish()
  }
}

/** x·min(max(x + 3, 0), 6)/6 (Howard et al., 2019). */
export class Hardswish extends Activation {
  protected activate(x: Tensor): Tensor {
    return x.hardswish()
  }
}

/** x where it is positive, x·slope elsewhere. */
export class LeakyReLU extends Activation {
  readonly slope: number

  constructor(slope = 0.01) {
    super()
    checkArgument('LeakyReLU', 'slope', slope, 'number')
    this.slope = slope
  }

  protected activate(x: Tensor): Tensor {
    return x.leakyRelu(this.slope)
  }
}

/** x where it is positive, alpha·(exp(x) - 1) elsewhere. */
export class ELU extends Activation {
  readonly alpha: number

  constructor(alpha = 1) {
    super()
    checkArgument('ELU', 'alpha', alpha, 'number')
    this.alpha = alpha
  }

  protected activate(x: Tensor): Tensor {
    return x.elu(this.alpha)
  }
}

/** A function along an axis, by default the last one. */
abstract class AxisActivation extends Activation {
  readonly axis: number

  constructor(axis = -1) {
    super()
    checkArgument(new.target.name, 'axis', axis, 'integer')
    this.axis = axis
  }
}

export class Softmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.softmax(this.axis)
  }
}

export class LogSoftmax extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return x.logSoftmax(this.axis)
  }
}

/** The first half of an axis times the sigmoid of the second (Dauphin et al., 2017). */
export class GLU extends AxisActivation {
  protected activate(x: Tensor): Tensor {
    return F.glu(x, this.axis)
  }
}
