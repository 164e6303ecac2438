// Names of torch.Tensor that have another name in Heed. A call throws an error with Heed's name.
import { answerToMethods, answerToProperties } from '../util/other-names.ts'
import { Tensor } from './tensor.ts'

const methods = {
  absolute: 'abs',
  addmm: 'a.matmul(b).add(c)',
  arccos: 'acos',
  arccosh: 'acosh',
  arcsin: 'asin',
  arcsinh: 'asinh',
  arctan: 'atan',
  arctan2: 'atan2',
  arctanh: 'atanh',
  argwhere: 'nonzero',
  bmm: 'matmul',
  bool: "to('bool')",
  byte: "to('u8')",
  contiguous: 'the tensor itself (tensors have no memory order)',
  cpu: 'setDefaultDevice (a tensor stays on its device)',
  cuda: 'setDefaultDevice (a tensor stays on its device)',
  dim: 'rank',
  divide: 'div',
  double: "to('f32')",
  expand_as: 'expand(other.shape)',
  float: "to('f32')",
  greater: 'gt',
  greater_equal: 'ge',
  half: "to('f32')",
  index_put: 'scatter',
  int: "to('i32')",
  less: 'lt',
  less_equal: 'le',
  long: "to('i32')",
  mm: 'matmul',
  moveaxis: 'movedim',
  multiply: 'mul',
  mv: 'matmul',
  ndimension: 'rank',
  negative: 'neg',
  nelement: 'size',
  new_full: 'full(shape, value)',
  new_ones: 'ones(shape)',
  new_zeros: 'zeros(shape)',
  not_equal: 'ne',
  numel: 'size',
  numpy: 'await data()',
  requires_grad_: 'requiresGrad = true',
  reshape_as: 'reshape(other.shape)',
  retain_grad: 'grad(f)',
  subtract: 'sub',
  swapaxes: 'transpose',
  swapdims: 'transpose',
  true_divide: 'div',
  type: 'to(dtype)',
  type_as: 'to(other.dtype)',
  view_as: 'reshape(other.shape)',
}

const properties = {
  device: 'defaultDevice()',
  is_leaf: 'requiresGrad',
  ndim: 'rank',
  requires_grad: 'requiresGrad',
}

/** In-place operations such as `add_`. Tensors are immutable, but state can be assigned. */
const inPlace = {
  copy_: 'assign(values)',
  fill_: 'assign(value)',
  zero_: 'assign(0)',
  normal_: 'assign(randn(shape))',
  uniform_: 'assign(rand(shape))',
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'div', 'pow', 'clamp', 'exp', 'log', 'neg', 'relu', 'sqrt', 'tanh'].map(
      (name) => [`${name}_`, `x.assign(x.${name}(…))`],
    ),
  ),
}

answerToProperties(Tensor.prototype, properties)
answerToMethods(Tensor.prototype, { ...methods, ...inPlace })
