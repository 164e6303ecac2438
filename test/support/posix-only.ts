import { onWindows } from '../../src/util/on-windows.ts'

/** For `skipIf`: true on Windows, where it prints why a test cannot run. */
export function posixOnly(why: string): boolean {
  if (onWindows) console.warn(`Skipped on Windows: ${why}`)
  return onWindows
}
