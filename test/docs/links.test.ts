import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { allPages, root } from './page.ts'

/** Pages that are not part of the site, whose links are checked, too. */
const OTHERS = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md', 'bench/RESULTS.md'] // biome-ignore format: one line

it.each([...allPages(), ...OTHERS])('every link of %s leads somewhere', (path) => {
  const text = withoutCode(readFileSync(join(root, path), 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link))
  expect(broken).toEqual([])
})

function leadsSomewhere(from: string, link: string): boolean {
  const [path, anchor] = link.split('#')
  const places = path ? [join(root, dirname(from), path), join(root, 'docs', `${path}.md`)] : [join(root, from)] // biome-ignore format: one line
  const place = places.find((it) => existsSync(it))
  if (place === undefined || !anchor || statSync(place).isDirectory()) return place !== undefined
  return anchorsOf(readFileSync(place, 'utf8')).includes(anchor)
}

/** The anchors of the headings, as GitHub and VitePress make them. */
function anchorsOf(markdown: string): string[] {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text)
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
}
