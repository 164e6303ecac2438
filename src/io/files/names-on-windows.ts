// Names that Windows cannot store. Windows does not reject all of them: `run:2` would be a hidden stream of the file
// `run`, and data written to `nul` is lost.
import { win32 } from 'node:path'
import { HeedError } from '../../util/errors.ts'
import { onWindows } from '../../util/on-windows.ts'
import { quote } from './file-error.ts'

/**
 * Checks each name of a path before it is written.
 * @throws HeedError on Windows, for a name that it cannot store
 */
export function checkNames(path: string, isWindows = onWindows): void {
  if (!isWindows) return
  const { root } = win32.parse(path)
  for (const name of path.slice(root.length).split(/[\\/]/)) {
    const rule = RULES.find(({ broken }) => broken.test(name))
    if (rule)
      throw new HeedError('file-system', `File names on Windows must ${rule.must}, got ${quote(name)}`, { value: path, remedy: 'Choose another name.' }) // biome-ignore format: one line
  }
}

/** Whether a name is a device on Windows, with any ending: con, nul.txt. */
export const isDevice = (name: string): boolean => DEVICE.test(name)

const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[1-9¹²³]|lpt[1-9¹²³]) *(?:\.|$)/i

const RULES: readonly { must: string; broken: RegExp }[] = [
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are part of the set
  { must: 'not contain < > : " | ? * or control characters', broken: /[<>:"|?*\x00-\x1f]/ },
  { must: 'not be names of devices (con, nul, com1 …)', broken: DEVICE },
  { must: 'not end with a dot or a space', broken: /^(?!\.{1,2}$).*[. ]$/ },
]
