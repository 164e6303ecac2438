// The documentation site. Everything that it needs is in its folder: nothing is fetched when it is built or read.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'node:util'
import { defineConfig } from 'vitepress'
import { navigation } from './navigation.ts'
import { miniSearch, renderForSearch } from './search.ts'
import { apiPages, commandPages, modelPages, type Page, sidebar } from './sidebar.ts'
import { signatureHtml } from './signatures.ts'

const repository = 'https://github.com/heed-ts/heed/blob/main/'

/**
 * VitePress, Vue and Vite print errors of a page and continue. Here, a build in which anything was printed as a warning
 * or an error fails.
 */
const problems: string[] = []
for (const level of ['warn', 'error'] as const) {
  const print = console[level]
  console[level] = (...values: unknown[]) => {
    problems.push(format(...values))
    print(...values)
  }
}

export default defineConfig({
  title: 'Heed',
  description: 'The transformer framework for TypeScript',
  lang: 'en',
  cleanUrls: true,
  srcExclude: ['node_modules/**', 'README.md'],
  head: [['link', { rel: 'icon', href: '/logo.svg', type: 'image/svg+xml' }]],
  themeConfig: {
    logo: '/logo.svg',
    search: { provider: 'local', options: { miniSearch, _render: renderForSearch } },
    notFound: {
      title: 'Page not found',
      quote: 'The site has no page with this address. Search it, or start at the home page.',
      linkLabel: 'Home page',
      linkText: 'Home page',
    },
    nav: navigation.map(({ text, items }) => ({
      text,
      link: items[0].link,
      activeMatch: `^/(?:${items.map(({ link }) => link.split('/')[1]).join('|')})(?:/|$)`,
    })),
    sidebar,
    outline: [2, 3],
    docFooter: { prev: 'Previous', next: 'Next' },
  },
  vite: { build: { chunkSizeWarningLimit: 2000 } }, // kB; the search index is the largest
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      // Links from a page to a file of the repository work on the site, too.
      const before =
        md.renderer.rules.link_open ??
        ((tokens, i, options, _, self) => self.renderToken(tokens, i, options))
      md.renderer.rules.link_open = (tokens, i, options, env, self) => {
        const href = tokens[i].attrGet('href') ?? ''
        if (/^(?:\.\.\/)+(?!.*\.md(?:#|$))/.test(href) || /^(?:\.\.\/)+[A-Z]+\.md/.test(href)) {
          const folder = dirname(env.relativePath)
          const path = join('docs', folder, href)
          if (!path.startsWith('docs/')) tokens[i].attrSet('href', repository + path)
        }
        return before(tokens, i, options, env, self)
      }
      const { fence } = md.renderer.rules
      md.renderer.rules.fence = (tokens, i, options, env, self) =>
        nameHtml(tokens[i].info) +
        (signatureHtml(tokens[i].content, env.relativePath) ??
          fence?.(tokens, i, options, env, self) ??
          '')
      // Long names break between their words in narrow windows (theme/layout.css).
      const { code_inline } = md.renderer.rules
      md.renderer.rules.code_inline = (...all) =>
        (code_inline?.(...all) ?? '').replaceAll(
          /(?<=[a-z0-9])(?=[A-Z])|(?<=[._])(?=[A-Za-z])/g,
          '<wbr>',
        )
      // Indented blocks, which docstrings have, are code of TypeScript.
      md.renderer.rules.code_block = (tokens, i, ...others) => {
        tokens[i].info = 'ts'
        return md.renderer.rules.fence?.(tokens, i, ...others) ?? ''
      }
    },
  },
  /** Each page as Markdown, and llms.txt with a list of them, for readers that are programs. */
  buildEnd({ outDir, pages, srcDir }) {
    if (problems.length > 0)
      throw new Error(
        `The site must build without warnings, got ${problems.length}; they are above`,
      )
    for (const page of pages) {
      mkdirSync(dirname(join(outDir, page)), { recursive: true })
      copyFileSync(join(srcDir, page), join(outDir, page))
    }
    const sections = navigation.map(({ text, items }) => listOf(text, items))
    const summary = /^# Heed\n\n([\s\S]*?)\n\n/.exec(
      readFileSync(join(srcDir, '../README.md'), 'utf8'),
    )
    const lists = { Commands: commandPages, Models: modelPages, API: apiPages }
    for (const [title, items] of Object.entries(lists)) sections.push(listOf(title, items))
    writeFileSync(
      join(outDir, 'llms.txt'),
      `# Heed\n\n> ${summary?.[1].replaceAll('\n', ' ')}\n\n${sections.join('\n')}`,
    )
  },
})

/** A section of llms.txt. */
function listOf(title: string, pages: readonly Page[]): string {
  const line = ({ text, link }: Page, indent = ''): string =>
    `${indent}- [${text}](${link.replace(/\/$/, '/index')}.md)`
  const lines = pages.flatMap((page) => [line(page), ...(page.items ?? []).map((it) => line(it, '  '))]) // biome-ignore format: one line
  return `## ${title}\n\n${lines.join('\n')}\n`
}

/** The name of the file above a block (```ts [name.ts]), because other blocks import it. */
function nameHtml(info: string): string {
  const [, name] = /\[([\w.-]+)\]/.exec(info) ?? []
  return name ? `<div class="file-name">${name}</div>` : ''
}
