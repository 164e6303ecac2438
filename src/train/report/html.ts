// HTML fragments. Text is escaped where it is inserted, and only there.

/** HTML that is inserted without escaping. */
export interface Html {
  readonly html: string
}

export type Content = Html | string | number | readonly Content[] | null | undefined | false

/** Template tag that escapes inserted values, except Html. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Html {
  return { html: strings.reduce((all, text, i) => all + textOf(contents[i - 1]) + text) }
}

function textOf(content: Content): string {
  if (content === null || content === undefined || content === false) return ''
  if (Array.isArray(content)) return content.map(textOf).join('')
  return typeof content === 'object' ? (content as Html).html : escaped(String(content))
}

/** Characters of markup, and invisible ones: control characters, and those that change the direction of the text. */
const SPECIAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: data may contain them
  /[&<>"']|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g

function escaped(text: string): string {
  return text.replace(SPECIAL, (char) => {
    const code = char.charCodeAt(0)
    if (/[&<>"']/.test(char)) return `&#${code};`
    if (code === 0x0d) return ' '
    return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]` // shown, not obeyed
  })
}

/** Shortens a text that may be long. */
export const cut = (text: string, most = 300): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

/** A script element. (Compilers rewrite tagged templates that contain its end, with code that Heed does not have.) */
export const scriptElement = (attributes: string, text: string): Html => ({
  html: `<script ${attributes}>${text}</script>`,
})

/** JSON for a script element, which must not contain the end of the element. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
