// The location and the version of the running code. For Node, only this file reads import.meta.url: bundlers change it.
import { pathToFileURL } from 'node:url'

declare const HEED_VERSION: string | undefined

/** The version of the build; undefined if Heed runs from its sources. */
export const builtVersion: string | undefined =
  typeof HEED_VERSION === 'string' ? HEED_VERSION : undefined

/** The path of the CommonJS bundle that contains this code. */
export const commonJsFile: string | undefined = findCommonJs()

/** The URL of the file that contains this code; undefined if there is none, as in a CommonJS bundle of esbuild. */
export const here: string | undefined =
  import.meta.url ?? (commonJsFile && pathToFileURL(commonJsFile).href)

/** Without `typeof`, which webpack evaluates while it bundles. */
function findCommonJs(): string | undefined {
  try {
    return __filename
  } catch {
    return undefined
  }
}
