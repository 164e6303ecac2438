import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'rolldown/utils'

const source = new URL('../../src/', import.meta.url)

/** The package's own name leads to its sources, as in tsconfig.json. */
export function resolve(specifier, context, next) {
  const [, part] = /^heed(?:\/(\w+))?$/.exec(specifier) ?? []
  if (part) return next(new URL(`${part}/index.ts`, source).href, context)
  return next(specifier === 'heed' ? new URL('index.ts', source).href : specifier, context)
}

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
