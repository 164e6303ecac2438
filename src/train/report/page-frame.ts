// The frame of a page: one file without requests, whose only script and style are its own.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { writeFileAtomic } from '../../io/files/atomic.ts'
import { HeedError } from '../../util/errors.ts'
import { ownFile } from '../../util/package-folder.ts'
import { type Html, html, scriptElement } from './html.ts'

/** Renders a page. A Content-Security-Policy allows its script and style by their hashes, and nothing else. */
export async function pageText(title: string, body: Html): Promise<string> {
  const [script, style] = await Promise.all(['report.js', 'report.css'].map(ownText))
  const policy = `default-src 'none'; img-src data:; script-src ${hashOf(script)}; style-src ${hashOf(style)}; base-uri 'none'; form-action 'none'`
  return html`${{ html: START }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${{ html: policy }}">
<title>${title}</title>
<style>${{ html: style }}</style>
</head>
<body>
${body}
${scriptElement('type="module"', script)}
</body>
</html>
`.html
}

/** A file next to this one. HTML parsers convert line breaks of Windows, so the hash is that of line feeds. */
async function ownText(name: string): Promise<string> {
  return (await readFile(ownFile(`train/report/${name}`), 'utf8')).replaceAll('\r\n', '\n')
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'` // biome-ignore format: one line

/** How each report begins. */
const START = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="Heed report">`

/** How the reports of Heed 0.1.0 begin. */
const OLD_START = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">`

/**
 * Checks that a report may be written, before any work is done.
 * @throws HeedError if the file exists and is not a report
 */
export async function checkReplaceable(path: string): Promise<void> {
  if (!existsSync(path)) return
  const start = await beginningOf(path).catch(() => undefined) // a folder, for example
  if (start === undefined || [START, OLD_START].some((text) => start.startsWith(text))) return
  throw new HeedError(
    'already-exists',
    `\`out\` must be a new file or a report of Heed, got ${path}, which is another file`,
    {
      // biome-ignore format: one line
      key: 'out',
      value: path,
      remedy: 'Set `out` to another file, or remove this one.',
    },
  )
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1024), 0, 1024, 0)
    return buffer.toString('utf8', 0, bytesRead).replaceAll('\r\n', '\n')
  } finally {
    await file.close()
  }
}

/** Writes a page, unless it would replace a file that is not a report. */
export async function writePage(path: string, text: string): Promise<void> {
  await checkReplaceable(path)
  await writeFileAtomic(path, text)
}
