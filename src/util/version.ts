import { createRequire } from 'node:module'

/** Of this package. */
export const version: string = findVersion()

/** From src/ and from a bundle in dist/ alike, the package's folder is some levels up. */
function findVersion(): string {
  const require = createRequire(import.meta.url)
  for (const path of ['../package.json', '../../package.json', '../../../package.json']) {
    try {
      const json = require(path)
      if (json.name === 'heed') return json.version
    } catch {}
  }
  return 'unknown'
}
