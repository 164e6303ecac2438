/**
 * A word of a command as a POSIX shell reads it: in quotes where it needs them, a path that looks like an option with
 * `./` in front.
 */
export function shellWord(text: string): string {
  const word = text.startsWith('-') ? `./${text}` : text
  if (/^[\w%+:,./@-][\w%+=:,./@-]*$/.test(word)) return word
  return `'${word.replaceAll("'", "'\\''")}'`
}
