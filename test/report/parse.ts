// A strict parser for the HTML that reports consist of: every element is closed, every attribute is quoted.

export interface Element {
  name: string
  attributes: Record<string, string>
  children: (Element | string)[]
}

const EMPTY = new Set(['meta', 'input', 'img', 'br', 'hr'])
const RAW = new Set(['script', 'style'])

/** @throws Error where the page is not well-formed */
export function parse(page: string): Element {
  const root: Element = { name: 'root', attributes: {}, children: [] }
  const open = [root]
  let at = page.indexOf('>') + 1 // after the doctype
  while (at < page.length) {
    const parent = open[open.length - 1]
    if (page[at] !== '<') {
      const end = page.indexOf('<', at)
      parent.children.push(decoded(page.slice(at, end < 0 ? undefined : end)))
      at = end < 0 ? page.length : end
      continue
    }
    const closing = /^<\/(\w+)>/.exec(page.slice(at, at + 40))
    if (closing) {
      if (parent.name !== closing[1]) throw new Error(`</${closing[1]}> closes <${parent.name}> at ${around(page, at)}`) // biome-ignore format: one line
      open.pop()
      at += closing[0].length
      continue
    }
    const end = endOfTag(page, at)
    const [, name, text, slash] = /^<([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*(\/?)>$/i.exec(page.slice(at, end)) ?? [] // biome-ignore format: one line
    if (!name) throw new Error(`not a tag: ${around(page, at)}`)
    const attributes = Object.fromEntries([...text.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, key, value = '']) => [key, decoded(value)])) // biome-ignore format: one line
    const element: Element = { name, attributes, children: [] }
    parent.children.push(element)
    at = end
    if (RAW.has(name)) {
      const close = page.indexOf(`</${name}>`, at)
      element.children.push(page.slice(at, close))
      at = close + name.length + 3
    } else if (!EMPTY.has(name) && !slash) open.push(element)
  }
  if (open.length > 1) throw new Error(`<${open[open.length - 1].name}> is not closed`)
  return root
}

function endOfTag(page: string, start: number): number {
  let quoted = false
  for (let at = start; at < page.length; at++) {
    if (page[at] === '"') quoted = !quoted
    else if (page[at] === '>' && !quoted) return at + 1
  }
  throw new Error(`no end of the tag at ${around(page, start)}`)
}

const around = (page: string, at: number): string => page.slice(Math.max(0, at - 60), at + 60)

const decoded = (text: string): string => {
  if (/&(?!#\d+;)/.test(text)) throw new Error(`a bare & in ${text.slice(0, 80)}`)
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}

/** All elements below an element that fit, in the order of the page. */
export function all(element: Element, fits: (element: Element) => boolean): Element[] {
  return element.children.flatMap((child) =>
    typeof child === 'string' ? [] : [...(fits(child) ? [child] : []), ...all(child, fits)],
  )
}

export const named = (element: Element, name: string): Element[] =>
  all(element, (it) => it.name === name)

export const classed = (element: Element, style: string): Element[] =>
  all(element, ({ attributes }) => (attributes.class ?? '').split(' ').includes(style))

/** The text of an element, without that of scripts and styles. */
export function textOf(element: Element): string {
  if (RAW.has(element.name)) return ''
  return element.children
    .map((child) => (typeof child === 'string' ? child : textOf(child)))
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The rows of a table as lists of texts. */
export const rowsOf = (table: Element): string[][] =>
  named(table, 'tr').map((row) => all(row, ({ name }) => name === 'td' || name === 'th').map(textOf)) // biome-ignore format: one line
