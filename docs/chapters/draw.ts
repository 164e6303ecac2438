// Small pictures as SVG: points, curves and heat maps, one below the other. They follow the light or dark mode of the
// reader's system and have a background of their own, so that they are readable anywhere.
import { writeFileSync } from 'node:fs'

/** A drawing of this height and the width of all panels. */
export interface Panel {
  height: number
  body: string
}

const WIDTH = 460
const LEFT = 52
const RIGHT = 14

/** Writes panels to a file, one below the other. */
export function writePicture(file: string, title: string, panels: readonly Panel[]): void {
  writeFileSync(file, pictureOf(title, panels))
}

export function pictureOf(title: string, panels: readonly Panel[]): string {
  let y = 34
  const groups = panels.map(({ height, body }) => {
    const group = `<g transform="translate(0 ${y})">${body}</g>`
    y = Math.ceil(y + height + 14)
    return group
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<title>${escaped(title)}</title><style>${STYLE}</style>
<rect width="100%" height="100%" rx="8" class="card"/>${text(WIDTH / 2, 22, title, 'middle', 'title')}
${groups.join('\n')}
</svg>
`
}

const STYLE =
  '.card{fill:#f8f9fb}text{fill:#1f2937;font:13px sans-serif}.title{font-weight:600;font-size:14px}.grid{stroke:#8884;fill:none}.box{stroke:#8888;fill:none}' +
  '.c0{--c:#1d4ed8}.c1{--c:#c2410c}.c2{--c:#15803d}.c3{--c:#7e22ce}.line{stroke:var(--c);fill:none;stroke-width:2}.fill{fill:var(--c)}' +
  '@media(prefers-color-scheme:dark){.card{fill:#161b22}text{fill:#d5dbe3}.c0{--c:#6fa8f5}.c1{--c:#f0a04b}.c2{--c:#7cc983}.c3{--c:#c792ea}}'

export interface Axes {
  x: string
  y: string
  /** Smallest and largest value; those of the data by default. */
  xRange?: readonly [number, number]
  yRange?: readonly [number, number]
  /** Default 240. */
  height?: number
}

type Point = readonly [x: number, y: number]

/** Series of points: drawn as dots, or joined to a line. */
export interface Series {
  name: string
  points: readonly Point[]
  as: 'line' | 'dots'
}

/** Draws series in one pair of axes, with a legend. */
export function plot(axes: Axes, series: readonly Series[]): Panel {
  const { height = 240 } = axes
  const all = series.flatMap(({ points }) => points)
  const [x0, x1] = axes.xRange ?? spread(all.map(([x]) => x))
  const [y0, y1] = axes.yRange ?? spread(all.map(([, y]) => y))
  const [top, bottom] = [series.length > 1 ? 26 : 8, height - 40]
  const px = (x: number): number => LEFT + ((x - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT)
  const py = (y: number): number => bottom - ((y - y0) / (y1 - y0)) * (bottom - top)
  const inside = ([x, y]: Point): boolean => x >= x0 && x <= x1 && y >= y0 && y <= y1
  const marks = [
    ...ticks(y0, y1).flatMap((y) => [
      `<path d="M${LEFT} ${short(py(y))}H${WIDTH - RIGHT}" class="grid"/>`,
      text(LEFT - 6, py(y) + 4, String(y), 'end'),
    ]),
    ...ticks(x0, x1).map((x) => text(px(x), bottom + 17, String(x), 'middle')),
    text((LEFT + WIDTH - RIGHT) / 2, height - 6, axes.x, 'middle'),
    `<text transform="translate(13 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(axes.y)}</text>`,
  ]
  let legend = LEFT
  series.forEach(({ name, points, as }, k) => {
    const pairs = points.filter(inside).map(([x, y]) => `${short(px(x))} ${short(py(y))}`)
    // Dots are lines of no length with round ends: the shortest form.
    marks.push(
      as === 'line'
        ? `<path d="M${pairs.join('L')}" class="c${k} line"/>`
        : `<path d="${pairs.map((pair) => `M${pair}h0`).join('')}" class="c${k} line" style="stroke-width:4.5;stroke-linecap:round;opacity:.7"/>`,
    )
    if (series.length > 1) {
      marks.push(`<rect x="${legend}" y="6" width="11" height="11" class="c${k} fill"/>`)
      marks.push(text(legend + 16, 16, name))
      legend += 30 + name.length * 7
    }
  })
  return { height, body: marks.join('') }
}

export interface HeatMap {
  /** values[row][column]: 0 is the background, 1 the full colour, below 0 a second colour. */
  values: readonly (readonly number[])[]
  rows?: readonly string[]
  columns?: readonly string[]
  /** Lines above the map. */
  caption?: string
  /** Height of a row; as high as wide by default. */
  cell?: number
}

/** Draws numbers from -1 to 1 as squares of different strength, with names for rows and columns. */
export function heatMap({ values, rows = [], columns = [], caption, cell }: HeatMap): Panel {
  const left = Math.max(RIGHT, 10 + Math.max(0, ...rows.map((name) => name.length)) * 7.6)
  const slanted = columns.some((name) => name.length > 2)
  const longest = Math.max(0, ...columns.map((name) => name.length))
  const top = (caption ? 20 : 0) + (slanted ? 12 + longest * 6 : columns.length > 0 ? 18 : 0)
  const width = Math.min((WIDTH - left - RIGHT) / values[0].length, 40)
  const height = cell ?? width
  const marks = caption ? [text(RIGHT, 12, caption)] : []
  columns.forEach((name, j) => {
    const x = left + (j + 0.5) * width
    marks.push(
      slanted
        ? `<text transform="translate(${short(x + 4)} ${top - 5}) rotate(-55)">${escaped(name)}</text>`
        : text(x, top - 5, name, 'middle'),
    )
  })
  rows.forEach((name, i) => {
    marks.push(text(left - 6, top + (i + 0.5) * height + 4, name, 'end'))
  })
  marks.push(
    `<g transform="translate(${short(left)} ${top}) scale(${short(width, 3)} ${short(height, 3)})">`,
  )
  marks.push(...levelPaths(values), '</g>')
  const [w, h] = [width * values[0].length, height * values.length]
  marks.push(`<path d="M${short(left)} ${top}h${short(w)}v${short(h)}h${short(-w)}z" class="box"/>`)
  return { height: top + h, body: marks.join('') }
}

/** One path for all cells of a level: much shorter than a rectangle each. */
function levelPaths(values: readonly (readonly number[])[]): string[] {
  const levels = new Map<number, string[]>()
  values.forEach((row, i) => {
    row.forEach((value, j) => {
      const level = Math.round(20 * Math.max(-1, Math.min(1, value)))
      levels.set(level, [...(levels.get(level) ?? []), `M${j} ${i}h1v1h-1`])
    })
  })
  levels.delete(0)
  return [...levels].map(
    ([level, cells]) =>
      `<path d="${cells.join('')}" class="c${level > 0 ? 0 : 1} fill" opacity="${Math.abs(level) / 20}"/>`,
  )
}

/** About five round numbers from a to b. */
function ticks(a: number, b: number): number[] {
  const power = 10 ** Math.floor(Math.log10((b - a) / 3))
  const step = power * ([1, 2, 5].find((k) => (b - a) / (k * power) <= 6) ?? 10)
  const first = Math.ceil(a / step - 1e-9)
  const count = Math.floor(b / step + 1e-9) - first + 1
  return Array.from({ length: count }, (_, k) => Number(((first + k) * step).toPrecision(6)))
}

const spread = (values: readonly number[]): [number, number] => [Math.min(...values), Math.max(...values)] // biome-ignore format: one line

const short = (value: number, digits = 1): string => String(Number(value.toFixed(digits)))

export function text(x: number, y: number, words: string, anchor = 'start', name = ''): string {
  const style = name && ` class="${name}"`
  return `<text x="${short(x)}" y="${short(y)}" text-anchor="${anchor}"${style}>${escaped(words)}</text>`
}

const escaped = (words: string): string =>
  words.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '&gt;')
