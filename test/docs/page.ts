// The blocks of code in a page of the documentation, and how they are run.
//
// The blocks of a page run in the order of the page, in one folder that is empty at first. `ts` blocks are programs
// (```ts [name.ts] names the file), or modules if a later block imports them; `sh` blocks are commands. A `text` block
// that follows is their output. Comments before a block change how it runs:
//
//   <!-- not run: REASON -->            the block is not run (its TypeScript is still type-checked)
//   <!-- small: FROM => TO -->          replaces FROM by TO in the block, to make it quick; its output is not compared
//   <!-- output varies: REASON -->      the output that follows is not compared
//   <!-- first: PATH -->                runs this program of the repository before the block
//   <!-- with: PATH -->                 copies this file of the repository next to the block
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { basename, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtLoader, isBuilt, loader as sourceLoader } from '../support/run-script.ts'

export interface Block {
  language: string
  code: string
  /** From 1. */
  line: number
  /** Of the file that a `ts` block is. */
  name: string
  /** Why it is not run; '' if it is. */
  notRun: string
  /** With the replacements of `small`. */
  toRun: string
  /** Path of a program that runs before; '' for none. */
  first: string
  /** Whether its output is not compared. */
  varies: boolean
  /** Paths of files of the repository that it needs next to it. */
  files: string[]
  /** What it must print; null where nothing is shown or it varies. */
  output: string | null
}

/** The built package starts several times faster. If it is older than a source, the sources run. */
const [loader, main] = isBuilt()
  ? [builtLoader, 'bin/heed.js']
  : [sourceLoader, 'test/support/heed-main.ts']

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Paths of all pages in the repository, and of the README, from its root. */
export function allPages(): string[] {
  return ['README.md', ...sitePages().filter((path) => !path.startsWith(API))]
}

/** Paths of the pages of the API reference, which `npm run docs` writes; none before. */
export const apiPages = (): string[] => sitePages().filter((path) => path.startsWith(API))

const API = 'docs/reference/api/'

function sitePages(): string[] {
  const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => path.endsWith('.md') && !/(?:^|\/)(?:node_modules|\.vitepress)\//.test(path))
  return pages.sort().map((path) => `docs/${path}`)
}

/** @throws Error where a comment before a block is misspelt */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  let notes: string[] = []
  for (let i = 0; i < lines.length; i++) {
    const note = /^<!-- (.*) -->$/.exec(lines[i])?.[1]
    if (note !== undefined) notes.push(note)
    const [, fence, language = '', name] = /^(```+)(\w*)(?: \[(.+)\])?.*$/.exec(lines[i]) ?? []
    if (fence) {
      const end = lines.indexOf(fence, i + 1)
      const code = `${lines.slice(i + 1, end).join('\n')}\n`
      const before = blocks.at(-1)
      if (language === 'text' && before && before.output === null && isBetween(lines, before, i)) {
        const isNoted = notes.some((it) => /^(output varies|small): /.test(it))
        if (!isNoted && !before.varies && before.toRun === before.code) before.output = code
      } else if (language === 'ts' || language === 'sh') {
        const block = {
          language,
          code,
          line: i + 1,
          name: name ?? `block-${i + 1}.ts`,
          output: null,
        }
        blocks.push({ ...block, ...applyNotes(notes, code) })
      }
      notes = []
      i = end
    } else if (lines[i].trim() && note === undefined) notes = []
  }
  return blocks
}

/** Whether only text without further code lies between a block and line `i`. */
function isBetween(lines: readonly string[], { code, line }: Block, i: number): boolean {
  const end = line + code.split('\n').length
  return lines.slice(end, i).every((text) => !text.startsWith('```') && !text.startsWith('#'))
}

function applyNotes(
  notes: readonly string[],
  code: string,
): Pick<Block, 'notRun' | 'toRun' | 'first' | 'files' | 'varies'> {
  const files: string[] = []
  let notRun = ''
  let toRun = code
  let first = ''
  let varies = false
  for (const note of notes) {
    const [, kind, text] = /^([a-z ]+): (.*)$/.exec(note) ?? []
    if (kind === 'not run') notRun = text
    else if (kind === 'first') first = text
    else if (kind === 'with') files.push(text)
    else if (kind === 'small') {
      const [from, to] = text.split(' => ')
      if (!toRun.includes(from)) throw new Error(`The block does not contain '${from}':\n${code}`)
      toRun = toRun.replaceAll(from, to)
    } else if (kind === 'output varies') varies = true
    else throw new Error(`Unknown comment before a block: ${note}`)
  }
  return { notRun, toRun, first, files, varies }
}

export interface PageRun {
  /** Run blocks as they are shown, without the replacements of `small`, and compare nothing. Default false. */
  full?: boolean
  /** Called after each block. */
  onBlock?: (block: Block, printed: string, seconds: number) => void
}

/**
 * Runs the blocks of a page in `work` in an empty folder, where the packages of this checkout are installed.
 * @throws Error with the line of the block that fails, and its output
 */
export async function runPage(path: string, folder: string, options: PageRun = {}): Promise<void> {
  const { full = false, onBlock } = options
  const env = environment(folder)
  const work = join(folder, 'work')
  mkdirSync(work)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  const blocks = blocksOf(readFileSync(join(root, path), 'utf8'))
  for (const [i, found] of blocks.entries()) {
    if (found.notRun) continue
    const block = full ? { ...found, toRun: found.code, output: null } : found
    for (const file of block.files) copyFileSync(join(root, file), join(work, basename(file)))
    if (isModule(found, blocks.slice(i + 1))) {
      writeFileSync(join(work, block.name), block.toRun)
      continue
    }
    if (block.first) execFileSync(process.execPath, [...loader, join(root, block.first)], { cwd: work }) // biome-ignore format: one line
    const start = performance.now()
    const printed = await run(block, work, env).catch((error: Error & Record<string, string>) => {
      throw new Error(`${path}:${block.line} fails:\n${error.stdout}\n${error.stderr}`)
    })
    onBlock?.(block, printed, (performance.now() - start) / 1000)
    const difference = block.output === null ? null : differenceOf(block.output, printed)
    if (difference !== null) throw new Error(`${path}:${block.line} prints something else than shown. ${difference}`) // biome-ignore format: one line
  }
}

/** Whether a block is only imported by later ones, which run it. */
const isModule = ({ language, name, output }: Block, later: readonly Block[]): boolean =>
  language === 'ts' && output === null && later.some(({ code }) => code.includes(`'./${name}'`))

function run(
  { language, name, toRun }: Block,
  work: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const options = { cwd: work, env, maxBuffer: 1 << 26 }
  if (language === 'ts') writeFileSync(join(work, name), toRun)
  const [command, args] =
    language === 'sh'
      ? ['bash', ['-euo', 'pipefail', '-c', toRun]]
      : [process.execPath, [...loader, name]]
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      error ? reject(Object.assign(error, { stdout, stderr })) : resolve(stdout),
    )
    child.stdin?.end()
  })
}

/** Programs of these names run Heed's sources: `npx heed`, `npx tsx FILE`, and `npm install heed`, which does nothing. */
function environment(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const node = [process.execPath, ...loader].map((word) => `'${word}'`).join(' ')
  const programs = {
    heed: `exec ${node} '${join(root, main)}' "$@"`,
    npx: `name="$1"; shift\ncase "$name" in heed) exec heed "$@";; tsx) exec ${node} "$@";; *) echo "npx $name is not run" >&2; exit 1;; esac`, // biome-ignore format: one line
    npm: 'case "$1" in init) echo \'{ "type": "module" }\' > package.json;; install|pkg) ;; *) echo "npm $1 is not run" >&2; exit 1;; esac', // biome-ignore format: one line
  }
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const PATH = `${bin}:${process.env.PATH}`
  return { ...process.env, PATH, NO_COLOR: '1', COLUMNS: '100', HEED_CACHE: join(folder, 'cache') }
}

const NUMBER = /-?\d+(?:[.,]\d+)*(?:e[+-]?\d+)?/g
/** After a number: it depends on the machine. */
const MEASURED = /^ ?(?:ms|s|min|[kMG]B|tokens\/s|tok\/s|GFLOP\/s|rows\/s|%)(?![a-z])/

/** How what was printed differs from what is shown: words exactly, numbers within 5 %; null if it does not. */
export function differenceOf(shown: string, printed: string): string | null {
  const pattern = wordsOf(shown)
  const actual = wordsOf(printed)
  const both = `Shown:\n${shown}\nPrinted:\n${printed}`
  const at = matchFrom(pattern, actual, 0, 0)
  return at ? null : both
}

interface Word {
  text: string
  number: number | null
}

function wordsOf(text: string): Word[] {
  const words: Word[] = []
  for (const [line] of text.matchAll(/.+/g)) {
    let end = 0
    const plain = (piece: string): void => {
      for (const word of piece.split(/\s+/).filter(Boolean))
        words.push({ text: word, number: null })
    }
    for (const match of line.matchAll(NUMBER)) {
      plain(line.slice(end, match.index))
      end = match.index + match[0].length
      const measured = MEASURED.test(line.slice(end))
      words.push({
        text: '#',
        number: measured ? Number.NaN : Number(match[0].replaceAll(',', '')),
      })
    }
    plain(line.slice(end))
  }
  return words
}

/** `…` in the expected output matches any number of words. */
function matchFrom(
  shown: readonly Word[],
  printed: readonly Word[],
  i: number,
  j: number,
): boolean {
  if (i === shown.length) return j === printed.length
  if (shown[i].text === '…') {
    for (let k = j; k <= printed.length; k++) if (matchFrom(shown, printed, i + 1, k)) return true
    return false
  }
  return (
    j < printed.length && isSame(shown[i], printed[j]) && matchFrom(shown, printed, i + 1, j + 1)
  )
}

function isSame(shown: Word, printed: Word): boolean {
  if (shown.number === null || printed.number === null) return shown.text === printed.text
  if (Number.isNaN(shown.number) || Number.isNaN(printed.number)) return true
  return Math.abs(shown.number - printed.number) <= 0.05 * Math.abs(shown.number) + 1e-6
}
