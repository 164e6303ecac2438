import type { Module } from '../nn/index.ts'
import type { Parameter } from '../tensor/index.ts'

/** Makes the field at a path use another parameter. Returns a function that restores the first one. */
export function replaceParameter(model: Module, path: string, parameter: Parameter): () => void {
  const fields = path.split('.')
  const name = fields.pop() ?? ''
  const holder = fields.reduce((outer: object, field) => Reflect.get(outer, field), model)
  const before = Reflect.get(holder, name)
  Reflect.set(holder, name, parameter)
  return () => void Reflect.set(holder, name, before)
}
