// Lets peers/heed.ts run another build of Heed: its imports of src/ lead to the checkout that HEED_AGAINST names, to
// the sources there or, without them, to dist/. See bench/against.ts.
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { pathToFileURL } from 'node:url'

const ours = new URL('../../src/', import.meta.url).href
const other = pathToFileURL(`${process.env.HEED_AGAINST}/`)
const hasSources = existsSync(new URL('src/index.ts', other))

export function resolve(specifier, context, next) {
  const url = specifier.startsWith('.') ? new URL(specifier, context.parentURL).href : specifier
  if (!url.startsWith(ours)) return next(specifier, context)
  const file = url.slice(ours.length)
  const path = hasSources ? `src/${file}` : `dist/${file.replace(/(\/index)?\.ts$/, '.js')}`
  return next(new URL(path, other).href, context)
}

// Node 20 only supports hooks in a separate thread, which newer versions warn about.
if (module.registerHooks) module.registerHooks({ resolve })
else if (process.env.HEED_AGAINST) module.register(import.meta.url)
