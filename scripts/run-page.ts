// Runs the code of pages of the documentation and prints the output and the time of each block:
//
//     npm run docs:page -- docs/chapters/1-perceptron.md …              at full size
//     npm run docs:page -- docs/chapters/1-perceptron.md … --small      in the small form that the tests run
//     npm run docs:page -- docs/chapters/1-perceptron.md … --write      at full size; puts the output into the page,
//                                                                       and the pictures next to it
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { blocksOf, root, runPage } from '../test/docs/page.ts'

/** What the blocks of a page have printed, by their names. */
type Outputs = Map<string, string>

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    write: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
  },
})
for (const page of positionals) {
  const folder = mkdtempSync(join(tmpdir(), 'heed-page-'))
  const outputs: Outputs = new Map()
  let total = 0
  await runPage(page, folder, {
    full: !values.small,
    onBlock: ({ name, line }, printed, seconds) => {
      total += seconds
      outputs.set(name, printed)
      console.log(`── ${name} (line ${line}), ${seconds.toFixed(1)} s\n${printed}`)
    },
  })
  console.log(`── ${page}: ${total.toFixed(0)} s\n`)
  if (values.write && !values.small) write(page, join(folder, 'work'), outputs)
  rmSync(folder, { recursive: true, force: true })
}

function write(page: string, work: string, outputs: Outputs): void {
  const path = join(root, page)
  writeFileSync(path, withOutputs(readFileSync(path, 'utf8'), outputs))
  for (const file of readdirSync(work).filter((name) => name.endsWith('.svg')))
    copyFileSync(join(work, file), join(dirname(path), file))
}

/** The page with these outputs in the `text` block that follows each block of code, where there is one. */
function withOutputs(markdown: string, outputs: Outputs): string {
  const lines = markdown.split('\n')
  // From the last block to the first, so that the lines of earlier blocks stay right.
  for (const { name, line } of blocksOf(markdown).reverse()) {
    const printed = outputs.get(name)
    if (printed === undefined) continue
    const end = lines.indexOf('```', line)
    const next = lines.findIndex((text, i) => i > end && text.startsWith('```'))
    if (lines[next] !== '```text' || lines.slice(end, next).some((text) => text.startsWith('#'))) continue // biome-ignore format: one line
    const close = lines.indexOf('```', next)
    lines.splice(next + 1, close - next - 1, ...printed.trimEnd().split('\n'))
  }
  return lines.join('\n')
}
