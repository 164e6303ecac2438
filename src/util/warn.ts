// All warnings of the library go to standard error, each text once per process.
const printed = new Set<string>()

/** Prints a warning, unless the same text has been printed before. */
export function warn(text: string): void {
  if (printed.has(text)) return
  if (printed.size < MAX_REMEMBERED) printed.add(text)
  console.warn(`heed: ${text}`)
}

/** Lists names for a message: the first ten, and the number of others. */
export function listNames(names: readonly string[], limit = 10): string {
  const rest = names.length - limit
  return rest > 0 ? `${names.slice(0, limit).join(', ')} and ${rest} more` : names.join(', ')
}

/** Limit, because messages contain file names, and a long-running process may open any number of files. */
const MAX_REMEMBERED = 10_000
