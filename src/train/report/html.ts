// Pieces of a page: text is escaped where it is put in, and nowhere else.

/** HTML that is done; a string in its place would be escaped. */
export interface Html {
  readonly html: string
}

type Part = Html | string | number | readonly Part[] | null | undefined | false

/** As a template: what is put in is escaped, unless it is HTML already. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return { html: strings.reduce((all, text, i) => all + textOf(parts[i - 1]) + text) }
}

function textOf(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (Array.isArray(part)) return part.map(textOf).join('')
  return typeof part === 'object' ? (part as Html).html : escaped(String(part))
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
