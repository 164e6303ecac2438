// The one channel for warnings of the library: standard error, each text once in a process.
const printed = new Set<string>()

/** Prints a warning, unless the same text has been printed before. */
export function warn(text: string): void {
  if (printed.has(text)) return
  if (printed.size < MAX_REMEMBERED) printed.add(text)
  console.warn(`heed: ${text}`)
}

/** Names in a warning or an error: the first ten, and how many more there are. */
export function listNames(names: readonly string[], limit = 10): string {
  const rest = names.length - limit
  return rest > 0 ? `${names.slice(0, limit).join(', ')} and ${rest} more` : names.join(', ')
}

/** Texts name files, so that a process that opens files forever would otherwise keep all of them. */
const MAX_REMEMBERED = 10_000
