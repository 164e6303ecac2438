import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'rolldown/utils'

const source = new URL('../../src/', import.meta.url)

/** A hook for the package's own name: `fileOf` gets the entry, '' for `heed` itself. */
export const resolver = (fileOf) => (specifier, context, next) => {
  const [name, part = ''] = /^heed(?:\/(\w+))?$/.exec(specifier) ?? []
  return next(name ? fileOf(part).href : specifier, context)
}

/** The package's own name leads to its sources, as in tsconfig.json. */
export const resolve = resolver((part) => new URL(part ? `${part}/index.ts` : 'index.ts', source))

export function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  const { code, map, errors } = transformSync(path, readFileSync(path, 'utf8'), {
    target: 'es2022',
    sourcemap: true,
    typescript: { onlyRemoveTypeImports: true },
  })
  if (errors.length > 0) throw new SyntaxError(errors[0].codeframe ?? errors[0].message)
  const inline = Buffer.from(JSON.stringify(map)).toString('base64')
  const comment = `//# sourceMappingURL=data:application/json;base64,${inline}`
  return { format: 'module', shortCircuit: true, source: `${code}\n${comment}` }
}
