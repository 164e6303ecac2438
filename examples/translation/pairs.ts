// English and French sentences: LibreOffice's help, whose pages have the same ids in both languages; or
// a few made up on the spot.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchDebianPackages } from '../debian.ts'

export interface Pair {
  source: string
  target: string
}

const PACKAGES = ['libreoffice-help-en-us', 'libreoffice-help-fr']
const HELP = 'usr/share/libreoffice/help'

/** Fetched from Debian into `folder`, once. @throws Error that says what to do where that cannot be */
export function helpPairs(folder: string): Pair[] {
  const help = join(folder, HELP)
  if (!existsSync(join(help, 'fr')) || !existsSync(join(help, 'en-US')))
    fetchDebianPackages(folder, PACKAGES)
  const seen = new Set<string>()
  const pairs: Pair[] = []
  for (const file of pages(join(help, 'fr', 'text'))) {
    const other = join(help, 'en-US', 'text', file)
    if (!existsSync(other)) continue
    const english = paragraphs(readFileSync(other, 'utf8'))
    for (const [id, target] of paragraphs(readFileSync(join(help, 'fr', 'text', file), 'utf8'))) {
      const source = english.get(id)
      if (!source || source === target || seen.has(source)) continue
      seen.add(source)
      pairs.push(...sentences({ source, target }))
    }
  }
  return pairs.filter(({ source, target }) => /\p{L}{2}/u.test(source) && /\p{L}{2}/u.test(target))
}

/** The paths of all pages below a folder, in order. */
function pages(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.html'))
    .sort()
}

/** The texts of a page by id. */
function paragraphs(html: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const [, , id, inner] of html.matchAll(PARAGRAPH)) found.set(id, textOf(inner))
  return found
}

const PARAGRAPH = /<(p|h[1-6]) id="((?:par|hd)_[^"]*)"[^>]*>(.*?)<\/\1>/gs

function textOf(html: string): string {
  return html
    .replace(/<span[^>]*class="MAC"[^>]*>(?:<span[^>]*>[^<]*<\/span>|[^<])*<\/span>/g, '') // keys of another system
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#(\d+)|(amp|lt|gt|quot|nbsp));/g, (_, code, name) =>
      code ? String.fromCodePoint(Number(code)) : ENTITIES[name as string],
    )
    .replace(/\s+/g, ' ')
    .trim()
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: ' ' }

/** One by one, where both sides have as many. */
function sentences({ source, target }: Pair): Pair[] {
  const [english, french] = [source, target].map((text) => text.split(/(?<=[.!?:]) (?=\p{Lu})/u))
  if (english.length !== french.length) return [{ source, target }]
  return english.map((sentence, i) => ({ source: sentence, target: french[i] }))
}

/** Made up: every noun with every adjective and verb, alone and joined. */
export function toyPairs(): Pair[] {
  const nouns = [['lamp', 'la lampe'], ['table', 'la table'], ['door', 'la porte'], ['river', 'la rivière']] // biome-ignore format: a list
  const adjectives = [['old', 'vieille'], ['small', 'petite'], ['red', 'rouge'], ['green', 'verte']] // biome-ignore format: a list
  const verbs = [['is', 'est'], ['was', 'était'], ['seems', 'semble'], ['remains', 'reste']] // biome-ignore format: a list
  const simple = nouns.flatMap(([noun, nom]) =>
    adjectives.flatMap(([adjective, adjectif]) =>
      verbs.map(([verb, verbe]) => ({
        source: `the ${noun} ${verb} ${adjective}`,
        target: `${nom} ${verbe} ${adjectif}`,
      })),
    ),
  )
  const joined = simple.flatMap((a, i) =>
    [5, 11, 29].map((step) => {
      const b = simple[(i + step) % simple.length]
      return { source: `${a.source} and ${b.source}`, target: `${a.target} et ${b.target}` }
    }),
  )
  return [...simple, ...joined].map(({ source, target }) => ({
    source: `${source}.`,
    target: `${target}.`,
  }))
}
