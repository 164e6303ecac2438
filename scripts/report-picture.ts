// Draws docs/guides/report.png: the beginning of the report of a run, in Chromium.
//
//     npm run picture:report -- RUN
//
// The run of the page: the commands of docs/guides/report.md.

import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { reportRun } from '../src/train/report/report-run.ts'
import { launch } from '../test/browser/chromium.ts'

const [run] = process.argv.slice(2)
if (run === undefined) throw new Error('Name the folder of a run')
const browser = await launch()
const page = await browser.newPage({
  viewport: { width: 1000, height: 1190 },
  colorScheme: 'light',
})
await page.goto(pathToFileURL(resolve(await reportRun(run))).href)
const plot = page.locator('.plot').first()
const { x, y, width, height } = (await plot.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
await page.mouse.move(x + 0.62 * width, y + height / 2) // values at the cursor
await page.screenshot({
  path: fileURLToPath(new URL('../docs/guides/report.png', import.meta.url)),
})
await browser.close()
