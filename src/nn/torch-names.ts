// Names of torch.nn that have another name in Heed. A call throws an error with Heed's name.
import { answerToMethods, renamedFunction } from '../util/other-names.ts'
import { Module } from './module.ts'

answerToMethods(Module.prototype, {
  buffers: 'namedBuffers()',
  children: 'namedModules()',
  cpu: 'setDefaultDevice (a model computes on the default device)',
  cuda: 'setDefaultDevice (a model computes on the default device)',
  get_submodule: 'getModule(path)',
  modules: 'namedModules()',
  named_children: 'namedModules()',
  register_forward_hook: "hook('', function)",
  requires_grad_: 'freeze() or unfreeze()',
  to: 'setDefaultDevice (a model computes on the default device)',
  zero_grad: 'zeroGrad() of the optimiser',
})

/** torch.nn's spelling. A call throws an error with Heed's name. @internal */
export const MultiheadAttention = renamedFunction('MultiheadAttention', 'MultiHeadAttention')
