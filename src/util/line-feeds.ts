/** Converts the line breaks of Windows to line feeds, like Python's text mode. */
export const withLineFeeds = (text: string): string =>
  text.includes('\r') ? text.replaceAll('\r\n', '\n') : text

/** The same for a text in pieces, which may end within a line break. */
export function* piecesWithLineFeeds(pieces: Iterable<string>): Generator<string> {
  let held = ''
  for (const piece of pieces) {
    const text = held + piece
    held = text.endsWith('\r') ? '\r' : ''
    if (text.length > held.length) yield withLineFeeds(text.slice(0, text.length - held.length))
  }
  if (held) yield held
}
