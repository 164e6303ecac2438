// Measures the structure of the code base, with TypeScript's parser.
//
//     npm run house                    all figures
//     npm run house -- --copies        with the lines that several decoder families repeat
//     npm run house -- --check         fails if a figure is worse than in scripts/house/baseline.json; part of `npm run check`
//     npm run house -- --lower         updates the baseline with better figures
//     npm run house -- --root DIR      measures another checkout
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { copiesIn } from './house/copies.ts'
import { castsIn, documentedExports, fileSizes, functionSizes, type Sizes } from './house/counts.ts'
import { upwardImports } from './house/imports.ts'
import { bannedNames, type Place } from './house/names.ts'
import { readSources } from './house/sources.ts'

/** Figures that must not increase. */
interface Baseline {
  copiedLines: number
  upwardImports: number
  casts: number
  uncheckedCasts: number
  any: number
  nonNull: number
  /** By file. */
  bannedNames: Record<string, number>
}

type Figure = Exclude<keyof Baseline, 'bannedNames'>

/** Places that are listed. */
const SHOWN = 20

const here = fileURLToPath(new URL('..', import.meta.url))
const baselinePath = join(here, 'scripts/house/baseline.json')
const { values } = parseArgs({
  options: {
    copies: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    lower: { type: 'boolean', default: false },
    root: { type: 'string', default: here },
  },
})

const sources = readSources(values.root, 'src')
const copies = copiesIn(sources)
const upward = upwardImports(sources)
const casts = castsIn(sources)
const names = bannedNames(sources)
const now: Baseline = {
  copiedLines: copies.copied,
  upwardImports: upward.length,
  casts: casts.casts,
  uncheckedCasts: casts.unchecked,
  any: casts.any,
  nonNull: casts.nonNull,
  bannedNames: countByFile(names),
}
const baseline: Baseline = JSON.parse(readFileSync(baselinePath, 'utf8'))

if (values.check) check()
else report()
if (values.lower) lower()

function report(): void {
  const { all, documented } = documentedExports(sources)
  const share = Math.round((100 * copies.copied) / copies.lines)
  console.log(
    [
      `files          ${shown(fileSizes(sources))}`,
      `functions      ${shown(functionSizes(sources))}`,
      `documented     ${documented} of ${all} exported functions and classes (${Math.round((100 * documented) / all)} %)`,
      `casts          ${casts.casts} (${casts.unchecked} to unknown or never), ${casts.any} any, ${casts.nonNull} non-null`,
      `upward imports ${upward.length}`,
      `copies         ${copies.copied} of ${copies.lines} code lines of bases and heads in ${copies.families.length} decoder families (${share} %)`,
      `banned names   ${names.length} in ${Object.keys(now.bannedNames).length} files`,
    ].join('\n'),
  )
  if (values.copies)
    for (const { path, lines, copied } of copies.families)
      console.log(`\n${path}: ${copied.length} of ${lines}\n  ${copied.join('\n  ')}`)
}

function check(): void {
  const problems = [
    ...worse('copiedLines', 'lines of bases and heads that other decoder families have too'),
    ...worse('upwardImports', `imports against the order of the folders: ${upward.join(', ')}`),
    ...worse('casts', 'casts (x as T)'),
    ...worse('uncheckedCasts', 'casts to unknown or never'),
    ...worse('any', 'any'),
    ...worse('nonNull', 'non-null assertions (x!)'),
    ...newNames(),
  ]
  if (problems.length === 0) return
  console.error(`${problems.join('\n')}\nnpm run house shows all figures; --copies the lines.`)
  process.exitCode = 1
}

function worse(key: Figure, what: string): string[] {
  return now[key] > baseline[key]
    ? [`${now[key]} ${what}; there must be at most ${baseline[key]}`]
    : []
}

/** Banned names in the files that have more of them than the baseline allows. */
function newNames(): string[] {
  const list = names
    .filter(({ path }) => now.bannedNames[path] > (baseline.bannedNames[path] ?? 0))
    .map(({ path, line, text }) => `  ${path}:${line}: ${text}`)
  const rest = list.length > SHOWN ? [`  and ${list.length - SHOWN} more`] : []
  const rule = 'Exports, types, fields and parameters need the noun of the field:'
  return list.length > 0 ? [rule, ...list.slice(0, SHOWN), ...rest] : []
}

/** Updates the baseline with figures that are better; no figure increases. */
function lower(): void {
  const { bannedNames, ...figures } = baseline
  const least = Object.entries(figures).map(([key, most]) => [
    key,
    Math.min(most, now[key as Figure]),
  ])
  const left = Object.entries(bannedNames)
    .map(([path, most]) => [path, Math.min(most, now.bannedNames[path] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  const fresh = { ...Object.fromEntries(least), bannedNames: Object.fromEntries(left) }
  writeFileSync(baselinePath, `${JSON.stringify(fresh, null, 2)}\n`)
}

function countByFile(list: readonly Place[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { path } of list) counts[path] = (counts[path] ?? 0) + 1
  return counts
}

function shown({ count, median, p90, largest }: Sizes): string {
  return `${count}: median ${median} lines, p90 ${p90}, largest ${largest.lines} (${largest.name})`
}
