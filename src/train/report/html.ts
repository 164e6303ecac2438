// HTML fragments. Text is escaped where it is inserted, and only there.

/** HTML that is inserted without escaping. */
export interface Html {
  readonly html: string
}

type Content = Html | string | number | readonly Content[] | null | undefined | false

/** Template tag that escapes inserted values, except Html. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Html {
  return { html: strings.reduce((all, text, i) => all + textOf(contents[i - 1]) + text) }
}

function textOf(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (Array.isArray(content)) return content.map(textOf).join('')
  return typeof content === 'object' ? (content as Html).html : escaped(String(content))
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
