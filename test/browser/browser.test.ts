// The helper itself: what it must notice on a bad page.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { chromium, noChromium, openPage, serve } from './browser.ts'

const folder = mkdtempSync(join(tmpdir(), 'heed-browser-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const page = (body: string): string =>
  `<!doctype html><html lang="en"><title>page</title><meta name="color-scheme" content="light dark"><main>${body}</main></html>`

describe.skipIf(!chromium)(`a page in the browser${noChromium}`, () => {
  it('with faults: errors, foreign requests, violations and overflow are noticed', async () => {
    const file = join(folder, 'bad.html')
    writeFileSync(
      file,
      page(
        '<img src="http://127.0.0.1:9/a.png"><div id="wide" style="width:2000px">x</div><script>missing()</script>',
      ),
    )
    const visit = await openPage(file, { width: 390 })
    expect(visit.foreign).toEqual(['http://127.0.0.1:9/a.png'])
    expect(visit.errors.join('\n')).toMatch(/missing is not defined/)
    expect((await visit.violations()).map(({ rule }) => rule)).toContain('image-alt')
    expect(await visit.overflow()).toBeGreaterThan(1500)
    await visit.close()
  })

  it('of a server, in the dark and without scripts, is clean', async () => {
    mkdirSync(join(folder, 'site'))
    writeFileSync(join(folder, 'site', 'start.html'), page('<h1>Start</h1><script>document.title = "on"</script>')) // biome-ignore format: one line
    const { url, close } = await serve(join(folder, 'site'))
    const visit = await openPage(`${url}start`, { colorScheme: 'dark', javaScript: false })
    expect(await visit.page.title()).toBe('page')
    expect(await visit.page.locator('h1').textContent()).toBe('Start')
    expect([visit.foreign, visit.errors]).toEqual([[], []])
    expect(visit.requests).toEqual([`${url}start`])
    const status = await visit.page.request.get(`${url}%2e%2e%2fbad.html`)
    expect(status.status()).toBe(404)
    await visit.close()
    await close()
  })
})
