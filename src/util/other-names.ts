import { HeedError } from './errors.ts'

/** The error for a PyTorch name that has another name in Heed: "bmm is called matmul in Heed". */
const renamed = (name: string, here: string): HeedError =>
  new HeedError('unknown-name', `${name} is called ${here} in Heed`, {
    key: name,
    remedy: `Write ${here}.`,
  })

/** A placeholder for a function or class with PyTorch's name, which throws the error. */
export const renamedFunction = (name: string, here: string): ((...args: unknown[]) => never) =>
  function answer(): never {
    throw renamed(name, here)
  }

/**
 * Adds placeholders for PyTorch's method names to a class, which throw when they are called. The snake_case spellings
 * of its own methods are included. Subclasses and instances may override them.
 */
export function answerToMethods(prototype: object, names: Readonly<Record<string, string>>): void {
  const all = { ...snakeCased(prototype), ...names }
  for (const [name, here] of Object.entries(all))
    define(prototype, name, { value: renamedFunction(name, here), writable: true })
}

/** Adds placeholders for properties, which throw when they are read or written. */
export function answerToProperties(
  prototype: object,
  names: Readonly<Record<string, string>>,
): void {
  for (const [name, here] of Object.entries(names)) {
    const answer = renamedFunction(name, here)
    define(prototype, name, { get: () => answer(), set: () => answer() })
  }
}

/** Not enumerable, so that code that iterates over fields does not see it. Existing names are kept. */
function define(prototype: object, name: string, what: PropertyDescriptor): void {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { configurable: true, ...what })
}

/** Snake_case spellings of all methods and accessors below Object: `index_select` for `indexSelect`. */
function snakeCased(prototype: object): Record<string, string> {
  const names: Record<string, string> = {}
  for (
    let level = prototype;
    level && level !== Object.prototype;
    level = Object.getPrototypeOf(level)
  )
    for (const name of Object.getOwnPropertyNames(level))
      if (/[A-Z]/.test(name.slice(1))) names[snakeCase(name)] = name
  return names
}

/** `logical_and` for `logicalAnd`. */
const snakeCase = (name: string): string =>
  name.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
