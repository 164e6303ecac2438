// Draws the contents of a terminal as SVG, from the bytes that a program has written.
//
//     script -qefc 'stty cols 96; npm start --silent' build/run.ansi
//     npm run picture -- build/run.ansi assets/run.svg --command 'npm start'

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export interface PictureOptions {
  /** Longer lines wrap, as on a terminal of this width. Default 96. */
  columns?: number
  /** Shown above the output, behind a prompt. */
  command?: string
}

export function terminalSvg(
  output: string,
  { columns = 96, command }: PictureOptions = {},
): string {
  const screen = new Screen(columns)
  if (command) screen.write(`\x1b[2m$\x1b[0m \x1b[1m${command}\x1b[0m\n\n`)
  screen.write(output)
  const lines = screen.lines()
  const width = Math.ceil(columns * CELL_WIDTH) + 2 * MARGIN
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN
  const runs = lines.flatMap((cells, row) => runsOf(cells).map((run) => ({ run, row })))
  const text = runs.flatMap(({ run, row }) => piecesOf(run).map((piece) => drawRun(piece, row)))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `<title>${escaped(command ?? 'A terminal')}</title>`,
    `<rect width="100%" height="100%" rx="10" fill="${BACKGROUND}"/>`,
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}">`,
    ...text,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

const CELL_WIDTH = 8.4
const LINE_HEIGHT = 19
const FONT_SIZE = 14
const MARGIN = 20
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
const BACKGROUND = '#10151c'
const FOREGROUND = '#d5dbe3'
/** Black, red, green, yellow, blue, magenta, cyan, white; then the bright ones. */
const PALETTE = [
  ...['#5b6672', '#f0766b', '#7cc983', '#e3b45c', '#6fa8f5', '#c792ea', '#5fc7c9', FOREGROUND],
  ...['#8692a0', '#ff948a', '#9be3a1', '#f2cb80', '#93c0ff', '#ddb3f7', '#86e0e2', '#ffffff'],
]

interface Style {
  color: string
  bold: boolean
  dim: boolean
}

interface Cell extends Style {
  char: string
}

const PLAIN: Style = { color: FOREGROUND, bold: false, dim: false }

/** A minimal terminal: colours, and cursor movements for redrawing. */
class Screen {
  private readonly columns: number
  private readonly rows: Cell[][] = []
  private row = 0
  private column = 0
  private style = PLAIN

  constructor(columns: number) {
    this.columns = columns
  }

  write(output: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    const parts = /\x1b\[([\d;?]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[^\x1b]/gsu
    for (const [part, numbers, final] of output.matchAll(parts)) {
      if (final) this.control(final, numbers.split(';').map(Number))
      else if (!part.startsWith('\x1b')) this.put(part)
    }
  }

  /** The lines, without empty lines at the end. */
  lines(): Cell[][] {
    const filled = this.rows.findLastIndex((row) => row?.some(({ char }) => char !== ' '))
    return Array.from({ length: filled + 1 }, (_, i) =>
      Array.from(this.rows[i] ?? [], (c) => c ?? blank),
    )
  }

  private put(char: string): void {
    if (char === '\n') {
      this.row++
      this.column = 0
    } else if (char === '\r') this.column = 0
    else if (char === '\b') this.column = Math.max(0, this.column - 1)
    else if (char >= ' ') {
      if (this.column >= this.columns) this.put('\n')
      this.rows[this.row] ??= []
      this.rows[this.row][this.column++] = { ...this.style, char }
    }
  }

  private control(final: string, numbers: number[]): void {
    const count = Math.max(1, numbers[0])
    if (final === 'm') this.setStyle(numbers)
    else if (final === 'A') this.row = Math.max(0, this.row - count)
    else if (final === 'B') this.row += count
    else if (final === 'C') this.column = Math.min(this.columns - 1, this.column + count)
    else if (final === 'D') this.column = Math.max(0, this.column - count)
    else if (final === 'G') this.column = Math.min(this.columns, count) - 1
    else if (final === 'J' || final === 'K') this.erase(final === 'J')
  }

  /** Erases to the end of the line and all lines below. */
  private erase(below: boolean): void {
    if (this.rows[this.row])
      this.rows[this.row].length = Math.min(this.rows[this.row].length, this.column)
    if (below) this.rows.length = Math.min(this.rows.length, this.row + 1)
  }

  private setStyle(codes: number[]): void {
    for (const code of codes) {
      if (code === 38 || code === 48) return // the following numbers are extended colours
      this.style = styled(this.style, code)
    }
  }
}

const blank: Cell = { ...PLAIN, char: ' ' }

function styled(style: Style, code: number): Style {
  if (code === 0) return PLAIN
  if (code === 1) return { ...style, bold: true }
  if (code === 2) return { ...style, dim: true }
  if (code === 22) return { ...style, bold: false, dim: false }
  if (code === 39) return { ...style, color: FOREGROUND }
  const index = code >= 90 ? code - 90 + 8 : code - 30
  const isColor = (code >= 30 && code <= 37) || (code >= 90 && code <= 97)
  return isColor ? { ...style, color: PALETTE[index] } : style
}

interface Run extends Style {
  column: number
  text: string
  kind: Kind
}

/** Bars and braille characters are drawn as shapes, because fonts differ in them or lack them. */
type Kind = 'text' | 'bar' | 'curve'

function kindOf(char: string): Kind {
  if (char === '█' || char === '░') return 'bar'
  return char >= '\u2800' && char <= '\u28ff' ? 'curve' : 'text'
}

/** Groups neighbouring characters of the same style. */
function runsOf(cells: readonly Cell[]): Run[] {
  const runs: Run[] = []
  cells.forEach(({ char, ...style }, column) => {
    const last = runs.at(-1)
    const kind = kindOf(char)
    const same =
      last?.kind === kind &&
      last.color === style.color &&
      last.bold === style.bold &&
      last.dim === style.dim
    if (same) last.text += char
    else runs.push({ ...style, column, text: char, kind })
  })
  return runs.filter(({ text }) => text.trim() !== '')
}

/** Splits text at runs of spaces, which viewers would collapse. */
function piecesOf(run: Run): Run[] {
  if (run.kind !== 'text') return [run]
  return [...run.text.matchAll(/\S+(?: \S+)*/g)].map((found) => {
    const before = [...run.text.slice(0, found.index)].length
    return { ...run, column: run.column + before, text: found[0] }
  })
}

function drawRun(run: Run, row: number): string {
  const x = MARGIN + run.column * CELL_WIDTH
  const y = MARGIN + row * LINE_HEIGHT
  const opacity = run.dim ? ' opacity="0.6"' : ''
  if (run.kind === 'bar') return drawBar(run, x, y)
  if (run.kind === 'curve') return drawCurve(run, x, y)
  // The explicit length aligns columns in any font.
  const length = fixed([...run.text].length * CELL_WIDTH)
  const weight = run.bold ? ' font-weight="bold"' : ''
  return `<text x="${fixed(x)}" y="${fixed(y + FONT_SIZE)}" textLength="${length}" lengthAdjust="spacingAndGlyphs" fill="${run.color}"${weight}${opacity}>${escaped(run.text)}</text>`
}

function drawBar({ text, color }: Run, x: number, y: number): string {
  const full = text.lastIndexOf('█') + 1
  const piece = (from: number, to: number, opacity: number): string =>
    to > from
      ? `<rect x="${fixed(x + from * CELL_WIDTH)}" y="${fixed(y + 3)}" width="${fixed((to - from) * CELL_WIDTH)}" height="${FONT_SIZE}" fill="${color}" opacity="${opacity}"/>`
      : ''
  return piece(0, full, 1) + piece(full, text.length, 0.25)
}

/** The bits of the code of a braille character are its dots, in the order of Unicode. */
const DOTS = [0, 2, 4, 1, 3, 5, 6, 7].map((place) => ({ x: place % 2, y: Math.floor(place / 2) }))

function drawCurve({ text, color }: Run, x: number, y: number): string {
  const dots = [...text].flatMap((char, column) => {
    const bits = char.charCodeAt(0) - 0x2800
    return DOTS.filter((_, bit) => bits & (1 << bit)).map((dot) => {
      const left = x + (column + 0.25 + 0.5 * dot.x) * CELL_WIDTH
      return `M${fixed(left)} ${fixed(y + (dot.y + 0.5) * (LINE_HEIGHT / 4))}h0`
    })
  })
  if (dots.length === 0) return ''
  return `<path d="${dots.join('')}" stroke="${color}" stroke-width="3" stroke-linecap="round"/>`
}

const fixed = (value: number): string => String(Math.round(value * 100) / 100)

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { columns: { type: 'string', default: '96' }, command: { type: 'string' } },
  })
  const [from, to] = positionals
  const output = withoutLog(await readFile(from, 'utf8'))
  await mkdir(dirname(to), { recursive: true })
  await writeFile(
    to,
    terminalSvg(output, { columns: Number(values.columns), command: values.command }),
  )
}

/** Removes the first and last line, which `script` adds. */
function withoutLog(recorded: string): string {
  return recorded.replace(/^Script started.*\n/, '').replace(/\n?Script done.*\n?$/, '')
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
