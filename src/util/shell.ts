import { onWindows } from './on-windows.ts'

/**
 * A word of a command as the shell of the system reads it: in quotes where it needs them, a path that looks like an
 * option with `./` in front. On Windows the quotes are those that both cmd and PowerShell know.
 */
export function shellWord(text: string, isWindows = onWindows): string {
  const word = text.startsWith('-') ? `./${text}` : text
  if ((isWindows ? PLAIN_ON_WINDOWS : PLAIN).test(word)) return word
  return isWindows ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`
}

const PLAIN = /^[\w%+:,./@-][\w%+=:,./@-]*$/
const PLAIN_ON_WINDOWS = /^[\w+:./\\-][\w+=:./\\@-]*$/ // PowerShell reads @, and commas, as its own
