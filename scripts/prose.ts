// Finds habits of a literal translation in comments, strings and pages (scripts/prose/words.ts):
//
//     npm run prose                        prints the number of matches by folder
//     npm run prose -- src/nn README.md    prints each match in these files and folders
//     npm run prose -- --check             fails if a file has more matches than in scripts/prose/baseline.json
//     npm run prose -- --lower             updates the baseline
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { allowed } from './prose/allowed.ts'
import { sentencesIn } from './prose/texts.ts'
import { habits } from './prose/words.ts'

interface Find {
  path: string
  line: number
  match: string
  instead: string
  text: string
}

const root = fileURLToPath(new URL('..', import.meta.url))
const baselinePath = join(root, 'scripts/prose/baseline.json')
const PLACES = 'src kernels native bin docs examples bench README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md'.split(' ') // biome-ignore format: one line
/** Generated from other files, which are checked. */
const GENERATED = ['kernel-schemas.h', 'RESULTS.md', 'config-keys.md', 'generation-config.md']

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false }, lower: { type: 'boolean', default: false } }, // biome-ignore format: one line
  allowPositionals: true,
})

process.exitCode = main()

function main(): number {
  const finds = (positionals.length > 0 ? positionals : PLACES).flatMap(filesIn).flatMap(findsIn)
  const counts = countBy(finds, ({ path }) => path)
  if (values.check || values.lower) {
    const baseline: Record<string, number> = existsSync(baselinePath) ? JSON.parse(readFileSync(baselinePath, 'utf8')) : {} // biome-ignore format: one line
    if (values.lower) {
      writeFileSync(baselinePath, `${JSON.stringify(counts, null, 2)}\n`)
      return 0
    }
    const worse = finds.filter(({ path }) => counts[path] > (baseline[path] ?? 0))
    for (const find of worse) console.error(textOf(find))
    if (worse.length > 0) console.error('Rewrite these sentences, or add a reason to scripts/prose/allowed.ts.') // biome-ignore format: one line
    return worse.length > 0 ? 1 : 0
  }
  if (positionals.length > 0) console.log(finds.map(textOf).join('\n'))
  else {
    const folders = countBy(finds, ({ path }) => path.split('/').slice(0, 2).join('/'))
    for (const [folder, count] of Object.entries(folders)) console.log(`${folder.padEnd(24)} ${count}`) // biome-ignore format: one line
  }
  console.log(`${finds.length} in ${Object.keys(counts).length} files`)
  return 0
}

function findsIn(path: string): Find[] {
  return sentencesIn(root, path).flatMap(({ line, text }) =>
    habits.flatMap(({ pattern, instead }) => {
      const match = pattern.exec(text)?.[0]
      if (match === undefined || allowed.some((it) => it.text.test(text))) return []
      return [{ path, line, match, instead, text: text.trim() }]
    }),
  )
}

/** The files that git knows or would take. */
function filesIn(place: string): string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', place]
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((path) => /\.(?:ts|js|mjs|mts|cc|h|md|py)$/.test(path) && existsSync(join(root, path)))
    .filter((path) => !GENERATED.some((name) => path.endsWith(name)))
    .sort()
}

function textOf({ path, line, match, instead, text }: Find): string {
  return `${path}:${line}: '${match}' (${instead}): ${text}`
}

function countBy<T>(values: readonly T[], keyOf: (value: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[keyOf(value)] = (counts[keyOf(value)] ?? 0) + 1
  return counts
}
