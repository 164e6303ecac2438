/**
 * Returns a function that creates its value on the first call and then returns the same value. Use it for module-level
 * values that few programs need, because work at module load time slows every start.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
