// Reports in Chromium: no errors, no requests, accessible at any width and colour scheme, usable with the keyboard alone.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { reportRun } from '../../src/train/report/report-run.ts'
import { chromium, looks, noChromium, openPage, type Visit } from '../browser/browser.ts'
import { scratch, trainTiny } from '../train/support.ts'
import { longLog, trainClassifier, trainWriter, withMetrics } from './runs.ts'

const at = scratch()
const pages = { classifier: '', writer: '', images: '', comparison: '', long: '' }

describe.skipIf(!chromium)(`a report in the browser${noChromium}`, () => {
  beforeAll(async () => {
    const [labels, text] = [await trainClassifier(at), await trainWriter(at)]
    pages.classifier = await reportRun(labels)
    pages.writer = await reportRun(text)
    pages.images = await reportRun(await trainImages())
    pages.comparison = await reportRun([labels, text], { out: at('comparison.html') })
    pages.long = await reportRun(await withMetrics(text, at('long'), longLog()))
  })

  async function trainImages(): Promise<string> {
    const images = Buffer.alloc(16 + 40 * 64)
    const labels = Buffer.alloc(8 + 40)
    images.set([0, 0, 8, 3])
    labels.set([0, 0, 8, 1])
    for (const [i, size] of [40, 8, 8].entries()) images.writeUInt32BE(size, 4 + 4 * i)
    labels.writeUInt32BE(40, 4)
    for (let i = 0; i < 40 * 64; i++) images[16 + i] = (i * 37) % 256
    for (let i = 0; i < 40; i++) labels[8 + i] = i % 2
    writeFileSync(at('bars-images-idx3-ubyte'), images)
    writeFileSync(at('bars-labels-idx1-ubyte'), labels)
    const data = [at('bars-images-idx3-ubyte')]
    await trainTiny(at('images'), { model: 'vit', data, steps: 4, patchSize: 4, valFraction: 0.3 })
    return at('images')
  }

  // Every page in the first two looks.
  it.each(Object.keys(pages) as (keyof typeof pages)[])('of a %s is accessible', async (name) => {
    for (const look of name === 'classifier' ? looks : looks.slice(0, 2)) {
      const visit = await openPage(pages[name], look)
      expect(await visit.violations()).toEqual([])
      expect([visit.errors, visit.foreign]).toEqual([[], []])
      expect(await visit.overflow()).toBe(0)
      await visit.close()
    }
  })

  const drawnPoints = (visit: Visit, chart = 0): Promise<number> =>
    visit.page.locator('.chart').nth(chart).locator('path.line').first().evaluate((path) => path.getAttribute('d')?.match(/[ML]/g)?.length ?? 0) // biome-ignore format: one line

  it('draws its charts with and without JavaScript, at the width of the page', async () => {
    const still = await openPage(pages.classifier, { javaScript: false })
    expect(await drawnPoints(still)).toBe(12)
    expect(await still.page.locator('#controls').isVisible()).toBe(false)
    expect(await still.page.locator('.chart.large .plot > svg:visible').count()).toBe(1)
    await still.close()
    const visit = await openPage(pages.classifier, { width: 700 })
    expect(await drawnPoints(visit)).toBe(12)
    const boxes = await visit.page.locator('.plot > svg').evaluateAll((all) => all.map((svg) => [svg.getAttribute('viewBox'), `0 0 ${svg.clientWidth} ${svg.clientHeight}`])) // biome-ignore format: one line
    for (const [box, size] of boxes) expect(box).toBe(size)
    await visit.close()
  })

  it('shows the values at the pointer, next to the points and not over them', async () => {
    const visit = await openPage(pages.classifier, {})
    const plot = visit.page.locator('.plot').first()
    await plot.scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await plot.boundingBox()) ?? {
      x: 0,
      y: 0,
      width: 0,
      height: 0,
    }
    for (const share of [0.1, 0.45, 0.55, 0.98]) {
      await visit.page.mouse.move(x + share * width, y + height / 2)
      const tip = await plot.locator('.tip').boundingBox()
      const points = await plot.locator('.cursor .dot').all()
      expect(points.length).toBeGreaterThan(0)
      for (const point of points) {
        const dot = await point.boundingBox()
        if (!tip || !dot) throw new Error('nothing is shown')
        const isApart = dot.x + dot.width <= tip.x + 1 || dot.x >= tip.x + tip.width - 1 || Math.abs(dot.x - (x + share * width)) > 60 // biome-ignore format: one line
        expect(isApart).toBe(true)
        expect(tip.height).toBeLessThan(100)
        expect(tip.x).toBeGreaterThanOrEqual(0)
        expect(tip.x + tip.width).toBeLessThanOrEqual(1280)
      }
    }
    expect(await plot.locator('.tip').textContent()).toMatch(/step 12.*training .*held-out/)
    await visit.page.mouse.move(0, 0)
    expect(await plot.locator('.tip').isVisible()).toBe(false)
    await visit.close()
  })

  it('is used with the keyboard alone: values, axis, smoothing and heads', async () => {
    const visit = await openPage(pages.classifier, {})
    const { page } = visit
    const focused = () => page.evaluate(() => document.activeElement?.className || document.activeElement?.tagName || '') // biome-ignore format: one line
    const tabTo = async (fits: (name: string) => boolean) => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab')
        if (fits(await focused())) return
      }
      throw new Error(`the keyboard does not reach it, but ${await focused()}`)
    }
    const valueNow = () =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext'))

    await tabTo((name) => name === 'INPUT') // logarithmic
    const before = await page
      .locator('.chart')
      .first()
      .locator('path.line')
      .first()
      .getAttribute('d')
    await page.keyboard.press('Space')
    const after = await page
      .locator('.chart')
      .first()
      .locator('path.line')
      .first()
      .getAttribute('d')
    expect(after).not.toBe(before)
    await page.keyboard.press('Tab') // smoothing
    await page.keyboard.press('End')
    expect(await page.locator('#controls output').textContent()).toBe('0.99')
    expect(await page.locator('path.raw').count()).toBeGreaterThan(2)

    await tabTo((name) => name === 'plot')
    expect(await valueNow()).toMatch(/^step 12, training [\d.]+, held-out [\d.]+$/)
    await page.keyboard.press('ArrowLeft')
    expect(await valueNow()).toMatch(/^step 11, training [\d.]+, held-out [\d.]+ at step 12$/)
    await page.keyboard.press('Home')
    expect(await valueNow()).toMatch(/^step 1, /)
    expect(await page.locator('.tip:visible').count()).toBe(1)

    await tabTo((name) => name === 'head')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    const view = page.locator('.attention').first()
    expect(await view.locator('figcaption').textContent()).toBe('layer 1, head 1')
    expect(await view.locator('[aria-pressed=true]').getAttribute('title')).toBe('layer 1, head 1')
    expect(visit.errors).toEqual([])
    await visit.close()
  })

  it('shows a single head on click, and its weights at the pointer', async () => {
    const visit = await openPage(pages.classifier, {})
    const attention = visit.page.locator('.attention').first()
    const large = attention.locator('image.weights')
    const before = await large.getAttribute('href')
    await attention.locator('button.head').nth(2).click()
    expect(await large.getAttribute('href')).not.toBe(before)
    expect(await attention.locator('figcaption').textContent()).toBe('layer 1, head 2')
    const text = await attention.locator('.value').evaluate(async (value) => {
      const image = document.querySelector('.attention image.weights') as SVGImageElement
      await new Promise((resolve) => setTimeout(resolve, 200))
      const { left, top } = image.getBoundingClientRect()
      image.dispatchEvent(new PointerEvent('pointermove', { clientX: left + 3, clientY: top + 3 }))
      return value.textContent
    })
    expect(text).toMatch(/^\[CLS\] → \[CLS\]: (0\.\d{3}|1\.000)$/)
    await visit.close()
  })

  it('does not run code that its policy does not name', async () => {
    const page = readFileSync(pages.classifier, 'utf8')
    const changed = join(at('.'), 'changed.html')
    writeFileSync(
      changed,
      page.replace('</main>', '<script>document.title = "run"</script></main>'),
    )
    const visit = await openPage(changed, {})
    expect(await visit.page.title()).not.toBe('run')
    expect(visit.errors.join()).toMatch(/Content Security Policy/)
    await visit.close()
  })
})
