import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { allPages, apiPages, root } from './page.ts'

/** Pages that are not part of the site, whose links are checked, too. */
const OTHERS = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md', 'bench/RESULTS.md'] // biome-ignore format: one line

it.each([...allPages(), ...OTHERS])('every link of %s leads somewhere', (path) => {
  expect(brokenIn(path)).toEqual([])
})

it.skipIf(apiPages().length === 0)('every link of the API reference leads somewhere', () => {
  expect(apiPages().flatMap((path) => brokenIn(path).map((link) => `${path}: ${link}`))).toEqual([])
})

function brokenIn(path: string): string[] {
  const text = withoutCode(readFileSync(join(root, path), 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link)
  return links.filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(path, link))
}

function leadsSomewhere(from: string, link: string): boolean {
  const [path, anchor] = link.split('#')
  const onSite = join(root, 'docs', path.replace(/\/$/, '/index'))
  const places = path ? [join(root, dirname(from), path), `${onSite}.md`] : [join(root, from)]
  const place = places.find((it) => existsSync(it))
  if (place === undefined || !anchor || statSync(place).isDirectory()) return place !== undefined
  return anchorsOf(place).includes(anchor)
}

const known = new Map<string, string[]>()

function anchorsOf(path: string): string[] {
  const anchors = known.get(path) ?? anchorsIn(readFileSync(path, 'utf8'))
  known.set(path, anchors)
  return anchors
}

/** The anchors of the headings, as GitHub and VitePress make them. */
function anchorsIn(markdown: string): string[] {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text)
  return headings.map(
    (text) =>
      /\{#(.+)\}$/.exec(text)?.[1] ??
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
