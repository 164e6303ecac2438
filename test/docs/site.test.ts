// The built site (`npm run docs`) in Chromium. Every page is opened once, in one of four looks by turns; `sample` has a
// page of each kind, which is opened in all four. axe-core looks at the whole page there, and at the text of the others:
// the bars around it are the same on every page, and the sidebar is most of the work.
import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  chromium,
  looks,
  noChromium,
  openPage,
  type Served,
  serve,
  type Visit,
} from '../browser/browser.ts'
import { root } from './page.ts'

const folder = join(root, 'docs/.vitepress/dist')
const pages = pagesOf(folder)
const sample = [
  '',
  '404',
  'start/install',
  'guides/report',
  'chapters/3-attention',
  'how-it-works/lazy-graph',
  'reference/models',
  'reference/commands/train',
  'reference/api/heed/generator',
  'reference/api/pipelines/',
]
/** The bars around the text. */
const frame = ['.VPNav', '.VPLocalNav', '.VPSidebar', '.VPDocFooter']

let site: Served
beforeAll(async () => {
  site = await serve(folder)
})
afterAll(() => site.close())

describe.skipIf(!chromium || pages.length === 0)(`the site in the browser${noChromium}`, () => {
  it.each(looks.map((look, turn) => ({ ...look, turn })))(
    'at $width px, $colorScheme: has no serious faults',
    async ({ turn, ...look }) => {
      const visit = await openPage(site.url, look)
      const others = pages.filter((page, i) => i % looks.length === turn && !sample.includes(page))
      for (const page of sample) await check(visit, page, [])
      for (const page of others) await check(visit, page, frame)
      await visit.close()
    },
    300_000,
  )

  async function check(visit: Visit, page: string, exclude: readonly string[]): Promise<void> {
    await visit.page.goto(site.url + page)
    expect.soft(await visit.violations(exclude), `/${page}`).toEqual([])
    expect
      .soft([visit.errors, visit.foreign, await visit.overflow()], `/${page}`)
      .toEqual([[], [], 0])
  }

  it.each(['reference/commands/train', 'reference/api/tokenizers/tokenizer', 'glossary'])(
    'shows %s in the sidebar',
    async (address) => {
      const { page, close } = await openPage(site.url + address)
      await page.waitForFunction(() => {
        const { top = 0, bottom = 0 } =
          document.querySelector('.VPSidebar .is-active > .item')?.getBoundingClientRect() ?? {}
        return top > 64 && bottom < innerHeight
      })
      await close()
    },
  )
})

describe.skipIf(!chromium || pages.length === 0)(`the site with the keyboard${noChromium}`, () => {
  it('skips to the text', async () => {
    const { page, close } = await openPage(`${site.url}guides/report`)
    await page.keyboard.press('Tab')
    expect(await focusIn(page)).toMatchObject({ text: 'Skip to content', isVisible: true })
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    const isInText = await page.evaluate(
      () => document.activeElement?.closest('#VPContent') !== null,
    )
    expect(isInText).toBe(true)
    await close()
  })

  it.each(['/', 'Control+k'])('searches with %s, and opens a result', async (key) => {
    const visit = await openPage(site.url)
    const { page, errors, foreign, close } = visit
    await page.locator('.VPNavBarSearch button').waitFor()
    await page.keyboard.press(key)
    await page.locator('.VPLocalSearchBox input').waitFor()
    await page.keyboard.type('cross entropy')
    const chosen = page.locator('.VPLocalSearchBox .result.selected')
    await chosen.waitFor()
    const first = await chosen.getAttribute('href')
    await page.keyboard.press('ArrowDown')
    const second = (await chosen.getAttribute('href')) ?? ''
    expect(second).not.toBe(first)
    expect(await visit.violations()).toEqual([])
    // What the field names as chosen is the link that Enter opens.
    const named = await page
      .locator('.VPLocalSearchBox input')
      .getAttribute('aria-activedescendant')
    expect(await page.locator(`#${named}[role=option][aria-selected=true]`).getAttribute('href')).toBe(second) // biome-ignore format: one line
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.href.endsWith(second))
    await page.locator('.VPLocalSearchBox').waitFor({ state: 'detached' })
    expect([errors, foreign]).toEqual([[], []])
    await close()
  })

  it('opens and closes both menus of a narrow window', async () => {
    const { page, close } = await openPage(`${site.url}guides/report`, { width: 390 })
    const bar = page.locator('.VPNavBarHamburger')
    await tabTo(page, 'mobile navigation')
    await page.keyboard.press('Enter')
    await page.locator('.VPNavScreen').waitFor()
    expect(await bar.getAttribute('aria-expanded')).toBe('true')
    await page.keyboard.press('Enter')
    await page.locator('.VPNavScreen').waitFor({ state: 'detached' })

    await tabTo(page, 'Menu')
    await page.keyboard.press('Enter')
    await page.locator('.VPSidebar.open').waitFor()
    await tabTo(page, 'Saving and loading')
    await page.keyboard.press('Escape')
    await page.locator('.VPSidebar.open').waitFor({ state: 'detached' })
    expect((await focusIn(page)).text).toBe('Menu')

    await page.keyboard.press('Enter')
    await tabTo(page, 'Saving and loading')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/guides/saving')
    await close()
  })

  it.each([
    { address: '', width: 1280 },
    { address: 'guides/report', width: 1280 },
    { address: 'guides/report', width: 390 },
  ])('sees the focus everywhere on /$address at $width px', async ({ address, width }) => {
    const { page, close } = await openPage(site.url + address, { width })
    const seen: Focus[] = []
    for (let i = 0; i < 150 && seen.at(-1)?.text !== ''; i++) {
      await page.keyboard.press('Tab')
      seen.push(await focusIn(page))
    }
    expect(seen.pop()?.text).toBe('') // the end of the page
    expect(seen.filter(({ isVisible }) => !isVisible)).toEqual([])
    expect(seen.length).toBeGreaterThan(10)
    await close()
  })
})

interface Focus {
  /** Words of the element that has the focus; empty if none has. */
  text: string
  /** It is in the window, has an outline, and nothing covers it. */
  isVisible: boolean
}

function focusIn(page: Page): Promise<Focus> {
  return page.evaluate(() => {
    const element = document.activeElement
    if (!element || element === document.body) return { text: '', isVisible: false }
    const label = element.getAttribute('aria-label') ?? ''
    const text = element.textContent?.trim() || label || element.tagName
    const { left, right, top, bottom } = element.getBoundingClientRect()
    const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2
    const above = document.elementFromPoint((left + right) / 2, y)
    const isOnTop = above !== null && (element.contains(above) || above.contains(element))
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    const hasOutline = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0
    return { text: text.slice(0, 40), isVisible: isOnTop && hasOutline }
  })
}

async function tabTo(page: Page, text: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if ((await focusIn(page)).text === text) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`The keyboard must reach '${text}', got ${(await focusIn(page)).text}`)
}

/** Addresses of all pages, without a leading slash; none before the site is built. */
function pagesOf(built: string): string[] {
  let files: string[] = []
  try {
    files = readdirSync(built, { recursive: true, encoding: 'utf8' })
  } catch {}
  return files
    .filter((file) => file.endsWith('.html'))
    .map((file) =>
      file
        .split(sep)
        .join('/')
        .replace(/(?:\bindex)?\.html$/, ''),
    )
    .sort()
}
