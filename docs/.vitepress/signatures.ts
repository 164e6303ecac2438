// Code blocks of the API reference: types in signatures are links. There are a thousand such blocks, which a highlighter of
// syntax would make most of the building time.
import { existsSync, readFileSync } from 'node:fs'

/** Links by subpath and name, from api/generate.ts. */
type Links = Readonly<Record<string, Readonly<Record<string, string>>>>

const file = new URL('../reference/api/links.json', import.meta.url)
const links: Links = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}

/** The HTML of a block; undefined on pages that do not belong to the API reference. */
export function signatureHtml(code: string, page = ''): string | undefined {
  const [, subpath] = /^reference\/api\/(\w+)\//.exec(page) ?? []
  if (subpath === undefined) return undefined
  const names = links[subpath] ?? {}
  const text = code
    .trimEnd()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/\b[A-Z]\w*\b/g, (name) =>
      Object.hasOwn(names, name) ? `<a href="${names[name]}">${name}</a>` : name,
    )
  return `<div class="language-ts"><pre tabindex="0" v-pre><code>${text}</code></pre></div>\n`
}
