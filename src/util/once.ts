/**
 * A function that makes its value at the first call and returns the same one afterwards. For values of modules that
 * few programs need: what is made while modules load is paid for by every start.
 */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
