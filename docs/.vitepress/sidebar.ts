// The sidebar: the pages of navigation.ts, with the pages of commands, models and the API below theirs. Pages of the API have
// a sidebar of their own, which lists all of them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { navigation } from './navigation.ts'

export interface Page {
  text: string
  link: string
  collapsed?: boolean
  items?: Page[]
}

const reference = new URL('../reference/', import.meta.url)
const apiList = new URL('api/sidebar.json', reference)

/** The subpaths of the package with their pages, from api/generate.ts; empty before it has run. */
export const apiPages: Page[] = existsSync(apiList) ? JSON.parse(readFileSync(apiList, 'utf8')) : []

export const commandPages = pagesIn('commands', (name) => `heed ${name}`)
export const modelPages = pagesIn('models', (name) => name)

function pagesIn(folder: string, titleOf: (name: string) => string): Page[] {
  return readdirSync(fileURLToPath(new URL(folder, reference)))
    .map((file) => file.replace('.md', ''))
    .map((name) => ({ text: titleOf(name), link: `/reference/${folder}/${name}` }))
}

/** The pages below a page of the navigation. */
const below: Readonly<Record<string, Page[]>> = {
  '/reference/api/': apiPages.map(({ text, link }) => ({ text, link })),
  '/reference/commands': commandPages,
  '/reference/models': modelPages,
}

const withPagesBelow = (page: Page): Page =>
  page.link in below ? { ...page, collapsed: true, items: below[page.link] } : page

export const sidebar = {
  '/reference/api/': [{ text: 'API', link: '/reference/api/', items: apiPages }],
  '/': navigation.map(({ text, items }) => ({ text, items: items.map(withPagesBelow) })),
}
