import { checkTensors } from '../tensor/arguments.ts'
import type { Parameter } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { Embedding } from './embedding.ts'
import { checkModule, type Module } from './module.ts'

/**
 * Gives the layer at a path of fields (`lm_head.weight`) a parameter of its own in place of one that it shared.
 * @returns the layer
 */
export function untie(model: Module, path: string, parameter: Parameter): object {
  checkModule('untie', model)
  checkArgument('untie', 'path', path, 'text')
  checkTensors('untie', { parameter })
  const fields = path.split('.')
  const name = fields.pop() ?? ''
  const layer = fields.reduce(fieldOf, model)
  if (typeof layer !== 'object' || !name)
    throw wrongArgument('untie', 'path', path, 'the path of a weight')
  if (!(layer instanceof Embedding)) {
    Reflect.set(layer, name, parameter)
    return layer
  }
  // Stacks may share the layer, and not only its weight.
  const [count, size] = parameter.shape
  const separate = new Embedding(count, size, { paddingIndex: layer.paddingIndex })
  separate.weight = parameter
  Reflect.set(fields.slice(0, -1).reduce(fieldOf, model), fields.at(-1) ?? '', separate)
  return separate
}

const fieldOf = (holder: object, name: string): object => Reflect.get(Object(holder), name)
