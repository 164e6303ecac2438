// The sidebar: the pages of navigation.ts, with the pages of commands and of the API below theirs. Pages of the API have
// a sidebar of their own, which lists all of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { navigation } from './navigation.ts'

export interface Page {
  text: string
  link: string
  collapsed?: boolean
  items?: readonly Page[]
}

const reference = new URL('../reference/', import.meta.url)
const apiList = new URL('api/sidebar.json', reference)

/** The subpaths of the package with their pages, from api/generate.ts; empty before it has run. */
export const apiPages: readonly Page[] = existsSync(apiList)
  ? JSON.parse(readFileSync(apiList, 'utf8'))
  : []

export const commandPages: readonly Page[] = readdirSync(
  fileURLToPath(new URL('commands', reference)),
)
  .map((name) => name.replace('.md', ''))
  .map((name) => ({ text: `heed ${name}`, link: `/reference/commands/${name}` }))

/** The pages below a page of the navigation. */
const below: Readonly<Record<string, readonly Page[]>> = {
  '/reference/api/': apiPages.map(({ text, link }) => ({ text, link })),
  '/reference/commands': commandPages,
}

const withPagesBelow = (page: Page): Page =>
  page.link in below ? { ...page, collapsed: true, items: below[page.link] } : page

export const sidebar = {
  '/reference/api/': [{ text: 'API', link: '/reference/api/', items: apiPages }],
  '/': navigation.map(({ text, items }) => ({ text, collapsed: false, items: items.map(withPagesBelow) })), // biome-ignore format: one line
}
