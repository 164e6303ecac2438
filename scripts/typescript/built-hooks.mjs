// As hooks.mjs, for TypeScript that imports the built package.
import { resolver } from './hooks.mjs'

export { load } from './hooks.mjs'

const built = new URL('../../dist/', import.meta.url)

export const resolve = resolver((part) => new URL(`${part || 'index'}.js`, built))
