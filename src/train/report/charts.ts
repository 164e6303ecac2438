// The curves of metrics.jsonl as charts, for one run or several.
import { type Html, html, scriptElement, scriptJson } from './html.ts'
import type { Point } from './metrics-log.ts'
import { type Line, plot } from './report.js'

/** A chart over steps. */
export interface Chart {
  title: string
  lines: readonly Line[]
  size: Size
  /** The y axis includes 0. */
  zero?: boolean
}

type Size = 'large' | 'normal' | 'small'

/** Curves by key, as in `RunReport`. */
type Curves = Readonly<Record<string, readonly Point[]>>

interface Quantity {
  title: string
  zero?: boolean
  size?: Size
  /** Factor of the values. */
  factor?: number
}

/** Keys that Heed writes, in the order of the page. Other keys keep their name. */
const QUANTITIES: ReadonlyMap<string, Quantity> = new Map<string, Quantity>([
  ['loss', { title: 'Training loss', size: 'large' }],
  ['val_loss', { title: 'Held-out loss', size: 'large' }],
  ['grad_norm', { title: 'Gradient norm', zero: true }],
  ['tokens_per_second', { title: 'Tokens per second', zero: true }],
  ['rows_per_second', { title: 'Rows per second', zero: true }],
  ['images_per_second', { title: 'Images per second', zero: true }],
  ['memory_bytes', { title: 'Memory of the process in MB', zero: true, factor: 1e-6 }],
  ['lr', { title: 'Learning rate', zero: true, size: 'small' }],
])

/** Further keys follow the losses. */
const BEFORE_OTHERS = 2

function orderedKeys(keys: ReadonlySet<string>): string[] {
  const known = [...QUANTITIES.keys()].filter((key) => keys.has(key))
  const others = [...keys].filter((key) => !QUANTITIES.has(key))
  const first = known.filter((key) => QUANTITIES.get(key)?.size === 'large').slice(0, BEFORE_OTHERS)
  return [...first, ...others, ...known.filter((key) => !first.includes(key))]
}

const quantityOf = (key: string): Quantity =>
  QUANTITIES.get(key) ?? { title: key.startsWith('val_') ? `Held-out ${key.slice(4)}` : key }

function scaled(points: readonly Point[], { factor = 1 }: Quantity): readonly Point[] {
  if (factor === 1) return points
  return points.map(([step, value]): Point => [step, value === null ? null : value * factor])
}

/** The charts of a run: both losses in one, and each other quantity. */
export function runCharts(curves: Curves): Chart[] {
  const { loss = [], val_loss: heldOut = [], ...others } = curves
  const losses: Line[] = [
    { name: 'training', color: 0, points: loss },
    { name: 'held-out', color: 1, points: heldOut, dots: true },
  ]
  return [
    { title: 'Loss', size: 'large' as const, lines: losses.filter(({ points }) => points.length > 0) }, // biome-ignore format: one line
    ...orderedKeys(new Set(Object.keys(others))).map((key): Chart => {
      const { title, zero, size = 'normal' } = quantityOf(key)
      const isHeldOut = key.startsWith('val_')
      const points = scaled(others[key], quantityOf(key))
      return { title, zero, size, lines: [{ name: title.toLowerCase(), color: isHeldOut ? 1 : 0, points, dots: isHeldOut }] } // biome-ignore format: one line
    }),
  ].filter(({ lines }) => lines.length > 0)
}

/** The charts of several runs: each quantity with a line for each run. */
export function comparisonCharts(runs: readonly { name: string; curves: Curves }[]): Chart[] {
  const keys = orderedKeys(new Set(runs.flatMap(({ curves }) => Object.keys(curves))))
  return keys.map((key) => {
    const { title, zero, size = 'normal' } = quantityOf(key)
    const lines = runs.map(({ name, curves }, i): Line => {
      return { name, color: i % COLORS, points: scaled(curves[key] ?? [], quantityOf(key)), dots: key.startsWith('val_') } // biome-ignore format: one line
    })
    return { title, zero, size, lines: lines.filter(({ points }) => points.length > 0) }
  })
}

/** Widths and heights at which a chart is drawn without JavaScript. */
const SIZES: Record<Size, readonly { style: string; width: number; height: number }[]> = {
  large: [
    { style: 'on-wide', width: 860, height: 300 },
    { style: 'on-narrow', width: 360, height: 240 },
  ],
  normal: [{ style: '', width: 400, height: 200 }],
  small: [{ style: '', width: 400, height: 130 }],
}

/** The charts, controls for all of them, and their data for the script of the page. */
export function chartsHtml(charts: readonly Chart[]): Html | null {
  if (charts.length === 0) return null
  const data = charts.map(({ lines, zero }) => ({
    zero,
    lines: lines.map((line) => ({ ...line, points: line.points.map(rounded) })),
  }))
  return html`<form id="controls" hidden><label><input type="checkbox"> logarithmic</label> <label>smoothing <input type="range" min="0" max="0.99" step="0.01" value="0"> <output>0</output></label></form>
<div class="charts">${charts.map(chartHtml)}</div>
${scriptElement('type="application/json" id="charts"', scriptJson(data))}`
}

function chartHtml({ title, lines, size, zero }: Chart): Html {
  const legend = lines.length > 1 && size === 'large' && html`<ul class="legend">${lines.map(({ name, color }) => html`<li>${keyHtml(name, color)}</li>`)}</ul>` // biome-ignore format: one line
  return html`<figure class="chart ${size}"><figcaption><h3>${title}</h3>${legend}</figcaption>
<div class="plot" data-name="${title} by step">${SIZES[size].map(
    ({ style, width, height }) =>
      html`<svg class="${style}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title} by step">${{ html: plot(lines, { width, height, zero }).svg }}</svg>`,
  )}</div></figure>`
}

/** Number of colours in report.css. */
const COLORS = 8

/** A name with the line of its colour. */
export const keyHtml = (name: string, color: number): Html =>
  html`<svg class="swatch" width="22" height="8" aria-hidden="true"><line class="line color-${color % COLORS}" x2="22" y1="4" y2="4"/></svg><bdi>${name}</bdi>`

const rounded = ([step, value]: Point): Point => [step, value === null ? null : Number(value.toPrecision(6))] // biome-ignore format: one line
