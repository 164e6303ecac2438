import { checkTensors } from '../tensor/arguments.ts'
import type { Parameter } from '../tensor/index.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { Embedding } from './embedding.ts'
import { checkModule, type Module } from './module.ts'

/**
 * Replaces a shared parameter at a path such as `lm_head.weight` with a separate one.
 * @returns the layer that uses it
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
  // Stacks may share the whole layer rather than only its weight.
  const [count, size] = parameter.shape
  const separate = new Embedding(count, size, { paddingIndex: layer.paddingIndex })
  separate.weight = parameter
  Reflect.set(fields.slice(0, -1).reduce(fieldOf, model), fields.at(-1) ?? '', separate)
  return separate
}

const fieldOf = (holder: object, name: string): object => Reflect.get(Object(holder), name)
