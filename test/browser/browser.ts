// Opens pages in headless Chromium, for tests of what Heed draws: reports and the documentation site.
//
//     describe.skipIf(!chromium)(`the page${noChromium}`, () => {
//       it('is accessible', async () => {
//         const visit = await openPage(url, { width: 390, colorScheme: 'dark' })
//         expect(await visit.violations()).toEqual([])
//         expect(visit.errors).toEqual([])
//         expect(visit.foreign).toEqual([])
//         await visit.close()
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll } from 'vitest'
import { launch } from './chromium.ts'

export { chromium, noChromium } from './chromium.ts'

export interface VisitOptions {
  /** Size of the window. Default 1280 × 800. */
  width?: number
  height?: number
  /** Default light. */
  colorScheme?: 'light' | 'dark'
  /** Default true. */
  javaScript?: boolean
}

/** A violation of an accessibility rule: its name, its impact, and the elements. */
export interface Violation {
  rule: string
  impact: string
  elements: string[]
}

/** An opened page, and what happened while it was open. */
export interface Visit {
  page: Page
  /** Errors and warnings of the console, and uncaught exceptions. */
  errors: string[]
  /** URLs of all requests. */
  requests: string[]
  /** URLs of requests to another origin; data URLs do not count. */
  foreign: string[]
  /** Violations of axe-core's rules that are serious or critical, outside of elements with these selectors. */
  violations(exclude?: readonly string[]): Promise<Violation[]>
  /** Writes a picture of the whole page. */
  screenshot(path: string): Promise<void>
  /** Width of the content beyond the window in pixels; 0 if nothing must be scrolled sideways. */
  overflow(): Promise<number>
  close(): Promise<void>
}

let running: Promise<Browser> | undefined

/** Opens a URL (also of `serve`), or a local file by its path. */
export async function openPage(place: string, options: VisitOptions = {}): Promise<Visit> {
  const { width = 1280, height = 800, colorScheme = 'light', javaScript = true } = options
  const browser = await (running ??= launch())
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    javaScriptEnabled: javaScript,
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const url = /^(https?|file|data):/.test(place) ? place : pathToFileURL(place).href
  const visit = { errors: [] as string[], requests: [] as string[], foreign: [] as string[] }
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) visit.errors.push(message.text())
  })
  page.on('pageerror', (error) => visit.errors.push(String(error)))
  page.on('request', (request) => {
    visit.requests.push(request.url())
    if (isForeign(request.url(), url)) visit.foreign.push(request.url())
  })
  await page.goto(url, { waitUntil: 'load' })
  return {
    ...visit,
    page,
    violations: (exclude = []) => violationsOn(page, exclude),
    screenshot: async (path) => void (await page.screenshot({ path, fullPage: true })),
    overflow: () =>
      page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      }),
    close: () => context.close(),
  }
}

/** A local file may request only itself; a served page may request files of its server. */
function isForeign(request: string, page: string): boolean {
  if (/^(data|blob|about):/.test(request)) return false
  if (page.startsWith('file:')) return request !== page
  return new URL(request).origin !== new URL(page).origin
}

afterAll(async () => {
  const browser = await running?.catch(() => undefined)
  running = undefined
  await browser?.close()
})

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Runs axe-core. It is evaluated, not added as an element, so that a Content-Security-Policy does not block it. */
async function violationsOn(page: Page, exclude: readonly string[]): Promise<Violation[]> {
  await page.evaluate(readFileSync(axePath, 'utf8'))
  const { violations } = await page.evaluate(
    (selectors): Promise<AxeResults> =>
      (globalThis as unknown as { axe: typeof import('axe-core') }).axe.run(
        { exclude: selectors },
        { resultTypes: ['violations'] },
      ),
    [...exclude],
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, impact, nodes }) => ({
      rule: id,
      impact: String(impact),
      elements: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
    }))
}

/** Widths of a telephone and a desk, in both colours. The first two have each of them once. */
export const looks = [
  { width: 390, colorScheme: 'dark' },
  { width: 1280, colorScheme: 'light' },
  { width: 390, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
] as const

/** A folder on the loopback interface. */
export interface Served {
  /** With a slash at the end. */
  url: string
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Serves a folder as the site generator does: `/start/install` is the file start/install.html. */
export async function serve(folder: string): Promise<Served> {
  const server = createServer((request, response) => {
    if (request.url === '/favicon.ico') return void response.writeHead(204).end() // browsers ask for it
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const path = normalize(decodeURIComponent(pathname))
    const candidates = [path, `${path}.html`, join(path, 'index.html')]
    const file = candidates.map((name) => join(folder, name)).find(isFile)
    response.writeHead(file ? 200 : 404, { 'content-type': TYPES[extname(file ?? '')] ?? 'text/plain' }) // biome-ignore format: one line
    if (file) createReadStream(file).pipe(response)
    else response.end('not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false // biome-ignore format: one line
