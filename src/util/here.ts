// The file of this code, and what the build says of it. In Node, import.meta.url is read here alone: bundlers change it.
import { pathToFileURL } from 'node:url'

declare const HEED_VERSION: string | undefined

/** The version that was built; undefined where Heed runs from its sources. */
export const builtVersion: string | undefined =
  typeof HEED_VERSION === 'string' ? HEED_VERSION : undefined

/** The path of the CommonJS bundle that holds this code. */
export const commonJsFile: string | undefined = findCommonJs()

/** The URL of the file that holds this code; undefined where it is none. esbuild leaves none in a CommonJS bundle. */
export const here: string | undefined =
  import.meta.url ?? (commonJsFile && pathToFileURL(commonJsFile).href)

/** Not by `typeof`, which webpack answers while it bundles. */
function findCommonJs(): string | undefined {
  try {
    return __filename
  } catch {
    return undefined
  }
}
