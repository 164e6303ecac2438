// The documentation site. Everything that it needs is in its folder: nothing is fetched when it is built or read.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { defineConfig } from 'vitepress'
import { navigation } from './navigation.ts'

const repository = 'https://github.com/heed-ts/heed/blob/main/'

export default defineConfig({
  title: 'Heed',
  description: 'The transformer framework for TypeScript',
  lang: 'en',
  cleanUrls: true,
  srcExclude: ['node_modules/**', 'README.md'],
  head: [['link', { rel: 'icon', href: '/logo.svg', type: 'image/svg+xml' }]],
  themeConfig: {
    logo: '/logo.svg',
    search: { provider: 'local' },
    nav: navigation.map(({ text, items }) => ({ text, link: items[0].link })),
    sidebar: navigation.map((section) => ({ ...section, collapsed: false })),
    outline: [2, 3],
    docFooter: { prev: 'Previous', next: 'Next' },
  },
  markdown: {
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
    },
  },
  /** Each page as Markdown, and llms.txt with a list of them, for readers that are programs. */
  buildEnd({ outDir, pages, srcDir }) {
    for (const page of pages) {
      mkdirSync(dirname(join(outDir, page)), { recursive: true })
      copyFileSync(join(srcDir, page), join(outDir, page))
    }
    const sections = navigation.map(
      ({ text, items }) =>
        `## ${text}\n\n${items.map((item) => `- [${item.text}](${item.link}.md)`).join('\n')}\n`,
    )
    const summary = /^# Heed\n\n([\s\S]*?)\n\n/.exec(
      readFileSync(join(srcDir, '../README.md'), 'utf8'),
    )
    writeFileSync(
      join(outDir, 'llms.txt'),
      `# Heed\n\n> ${summary?.[1].replaceAll('\n', ' ')}\n\n${sections.join('\n')}`,
    )
  },
})
