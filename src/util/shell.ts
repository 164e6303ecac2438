import { onWindows } from './on-windows.ts'

/**
 * Quotes a word for the shell of the system if necessary. A path that looks like an option is prefixed with `./`. On
 * Windows, the quotes work in both cmd and PowerShell.
 */
export function shellWord(text: string, isWindows = onWindows): string {
  const word = text.startsWith('-') ? `./${text}` : text
  if ((isWindows ? PLAIN_ON_WINDOWS : PLAIN).test(word)) return word
  return isWindows ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`
}

const PLAIN = /^[\w%+:,./@-][\w%+=:,./@-]*$/
const PLAIN_ON_WINDOWS = /^[\w+:./\\-][\w+=:./\\@-]*$/ // @ and commas have a special meaning in PowerShell
