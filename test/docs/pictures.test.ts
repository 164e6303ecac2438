import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pictures } from '../../docs/how-it-works/pictures.ts'
import { loadAddon } from '../../src/runtime/cpu/addon.ts'
import { root } from './page.ts'

const folders = ['docs/chapters', 'docs/how-it-works'].map((folder) => ({
  folder,
  files: readdirSync(join(root, folder)),
}))
const drawn = folders.flatMap(({ folder, files }) =>
  files.filter((file) => file.endsWith('.svg')).map((file) => ({ folder, file })),
)

describe('pictures of the documentation', () => {
  it.each(drawn)('$folder/$file is small, complete and follows dark mode', ({ folder, file }) => {
    const svg = readFileSync(join(root, folder, file), 'utf8')
    expect(svg.length).toBeLessThan(40_000)
    expect(svg).not.toMatch(/NaN|undefined|Infinity/)
    expect(svg).toContain('prefers-color-scheme:dark')
    const page = readFileSync(join(root, folder, file.replace('.svg', '.md')), 'utf8')
    expect(page).toContain(`](${file})`)
    if (!(file.slice(0, -4) in pictures)) expect(page).toContain(`writePicture('${file}'`)
  })

  it('are on every page', () => {
    const pages = folders.flatMap(({ files }) => files.filter((file) => file.endsWith('.md')))
    const without = pages.filter((page) => !drawn.some(({ file }) => file === page.replace('.md', '.svg'))) // biome-ignore format: one line
    expect(without).toEqual(['index.md'])
  })

  it.skipIf(!loadAddon().addon).each(Object.keys(pictures))(
    'of %s show the present graphs and programs',
    async (name) => {
      const file = readFileSync(join(root, `docs/how-it-works/${name}.svg`), 'utf8')
      expect(await pictures[name](), 'Run `npm run docs:pictures`').toBe(file)
    },
  )
})
