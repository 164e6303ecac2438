import type { Evaluation } from '../task.ts'
import { type Html, html } from './html.ts'

/** Renders a confusion matrix as a table; darker cells are a larger share of their row. */
export function confusionHtml({ labels, counts }: NonNullable<Evaluation['confusion']>): Html {
  return html`<p class="note">Rows: true labels. Columns: predicted labels.</p>
<div class="wide"><table class="confusion">
<tr><th></th>${labels.map((label) => html`<th scope="col">${label}</th>`)}</tr>
${counts.map((row, i) => {
  const sum = row.reduce((a, b) => a + b, 0)
  return html`<tr><th scope="row">${labels[i]}</th>${row.map(
    (count, j) =>
      html`<td class="${i === j ? 'right' : 'wrong'}" style="--share:${shareOf(count, sum)}%">${count === 0 ? '' : count}</td>`,
  )}</tr>`
})}
</table></div>`
}

const shareOf = (count: number, sum: number): number =>
  sum === 0 ? 0 : Math.round((80 * count) / sum)

export interface AttentionMap {
  /** The path of the layer. */
  name: string
  /** Mean over heads: T rows of S weights; each row sums to 1. */
  weights: readonly (readonly number[])[]
  rows?: readonly string[]
  columns?: readonly string[]
}

const CELL = 16
const LABELS = 90

/** Renders attention as a heat map: queries are rows, keys are columns. */
export function attentionHtml(map: AttentionMap): Html {
  const { name, weights, rows, columns } = map
  const [left, top] = [rows ? LABELS : 2, columns ? LABELS : 2]
  const width = left + CELL * (weights[0]?.length ?? 0)
  const height = top + CELL * weights.length
  const most = Math.max(1e-9, ...weights.flat())
  return html`<figure><svg class="attention" viewBox="0 0 ${width} ${height}" width="${width}" role="img" aria-label="attention of ${name}">
${rows?.map((text, i) => html`<text x="${left - 4}" y="${top + CELL * i + 12}" text-anchor="end">${short(text)}</text>`)}
${columns?.map((text, j) => html`<text transform="translate(${left + CELL * j + 12} ${top - 4}) rotate(-90)">${short(text)}</text>`)}
${weights.map((row, i) => row.map((weight, j) => html`<rect x="${left + CELL * j}" y="${top + CELL * i}" width="${CELL - 1}" height="${CELL - 1}" fill-opacity="${(weight / most).toFixed(3)}"><title>${rows?.[i] ?? i} → ${columns?.[j] ?? j}: ${weight.toFixed(3)}</title></rect>`))}
</svg><figcaption>${name}</figcaption></figure>`
}

const short = (text: string): string => (text.length > 12 ? `${text.slice(0, 11)}…` : text)
