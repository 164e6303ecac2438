import { type Html, html } from './html.ts'

export interface Line {
  name: string
  /** CSS class that sets the colour. */
  style: string
  points: readonly (readonly [x: number, y: number])[]
}

const WIDTH = 760
const HEIGHT = 280
const LEFT = 56
const BOTTOM = 32
const TOP = 12
const MOST_POINTS = 1000

/** Draws lines over a common axis of steps, as SVG. */
export function lineChart(lines: readonly Line[], yName: string): Html {
  const drawn = lines
    .map((line) => ({
      ...line,
      points: thinned(line.points.filter(([, y]) => Number.isFinite(y))),
    }))
    .filter(({ points }) => points.length > 0)
  const all = drawn.flatMap(({ points }) => points)
  if (all.length === 0) return html`<p>Nothing was logged.</p>`
  const [first, last] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))]
  const xs = ticks(first, last).filter((mark) => mark >= first && mark <= last)
  const ys = ticks(Math.min(...all.map(([, y]) => y)), Math.max(...all.map(([, y]) => y)))
  const x = scale([first, Math.max(last, first + 1)], LEFT, WIDTH - 12)
  const y = scale(ys, HEIGHT - BOTTOM, TOP)
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${yName} by step">
${ys.map((v) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - 12}" y1="${y(v)}" y2="${y(v)}"/><text x="${LEFT - 8}" y="${y(v) + 4}" text-anchor="end">${number(v)}</text>`)}
${xs.map((v) => html`<text x="${x(v)}" y="${HEIGHT - 12}" text-anchor="middle">${number(v)}</text>`)}
${drawn.map(({ points, style }) =>
  mark(
    points.map(([a, b]) => [x(a), y(b)] as const),
    style,
  ),
)}
</svg>
<p class="legend">${drawn.map(({ name, style }) => html`<span class="${style}">${name}</span>`)} by step</p>`
}

/** Draws a line, or a dot for a single point. */
function mark(points: Line['points'], style: string): Html {
  if (points.length > 1)
    return html`<polyline class="${style}" points="${points.map((point) => point.join(',')).join(' ')}"/>`
  return html`<circle class="${style}" cx="${points[0][0]}" cy="${points[0][1]}" r="3.5"/>`
}

/** Averages neighbouring points if there are too many. */
function thinned(points: Line['points']): Line['points'] {
  const every = Math.ceil(points.length / MOST_POINTS)
  if (every === 1) return points
  const out: [number, number][] = []
  for (let start = 0; start < points.length; start += every) {
    const some = points.slice(start, start + every)
    out.push([some[some.length - 1][0], some.reduce((sum, [, y]) => sum + y, 0) / some.length])
  }
  return out
}

/** Round numbers that enclose a range. */
function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / 5))
  const step = [1, 2, 5, 10]
    .map((factor) => factor * power)
    .find((size) => span / size <= 6) as number
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step)
}

/** Maps the range of the marks linearly to `from` … `to`. */
function scale(marks: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [marks[0], marks[marks.length - 1]]
  return (value) => Math.round((from + ((value - low) / (high - low)) * (to - from)) * 10) / 10
}

const number = (value: number): string => String(Number(value.toPrecision(6)))
