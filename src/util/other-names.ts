import { HeedError } from './errors.ts'

/** The error for a name that PyTorch has and Heed spells differently: "bmm is called matmul here". */
const renamed = (name: string, here: string): HeedError =>
  new HeedError('unknown-name', `${name} is called ${here} here`, {
    key: name,
    remedy: `Write ${here}.`,
  })

/** A function, or class, that answers under PyTorch's name. */
export const renamedFunction = (name: string, here: string): ((...args: unknown[]) => never) =>
  function answer(): never {
    throw renamed(name, here)
  }

/**
 * Lets the instances of a class answer to PyTorch's names, which nothing else shows: methods when they are called. The
 * snake_case spellings of its own methods are added. Subclasses and instances may define these names.
 */
export function answerToMethods(prototype: object, names: Readonly<Record<string, string>>): void {
  const all = { ...snakeCased(prototype), ...names }
  for (const [name, here] of Object.entries(all))
    define(prototype, name, { value: renamedFunction(name, here), writable: true })
}

/** The same for properties, when they are read or written. */
export function answerToProperties(
  prototype: object,
  names: Readonly<Record<string, string>>,
): void {
  for (const [name, here] of Object.entries(names)) {
    const answer = renamedFunction(name, here)
    define(prototype, name, { get: () => answer(), set: () => answer() })
  }
}

/** No enumerable property: what walks over fields does not meet it. Existing names stay. */
function define(prototype: object, name: string, what: PropertyDescriptor): void {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { configurable: true, ...what })
}

/** `index_select` for `indexSelect`, of all methods and accessors up to Object's. */
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
