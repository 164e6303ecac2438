// Chromium, installed by the system (Debian: `apt-get install chromium`); HEED_CHROMIUM names another browser.
import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'

const USUAL = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

/** The path of the browser; undefined if none is installed. */
export const chromium: string | undefined = findChromium()

/** For titles of tests: why they are skipped; empty if a browser is installed. */
export const noChromium: string = chromium
  ? ''
  : ' (skipped: no Chromium; install it, or set HEED_CHROMIUM to its path)'

/** @throws Error if HEED_CHROMIUM names a file that does not exist */
function findChromium(): string | undefined {
  const named = process.env.HEED_CHROMIUM
  if (!named) return USUAL.find((path) => existsSync(path))
  if (!existsSync(named)) throw new Error(`HEED_CHROMIUM must be the path of a browser, got ${named}`) // biome-ignore format: one line
  return named
}

/** Starts the browser without a window. @throws Error if none is installed */
export async function launch(): Promise<Browser> {
  if (!chromium) throw new Error(`A browser is required${noChromium}`)
  const { chromium: driver } = await import('playwright-core')
  // Pictures have the same size everywhere, and no part of the browser uses the network.
  const args = ['--force-device-scale-factor=1', '--disable-background-networking', '--hide-scrollbars'] // biome-ignore format: one line
  return driver.launch({ executablePath: chromium, headless: true, args })
}
