import type { Confusion } from '../metrics/index.ts'
import { pc } from './colors.ts'

/** Formats a confusion matrix: true labels as rows, predicted labels as columns. */
export function confusionTable({ labels, counts }: Confusion): string[] {
  const names = labels.map((label) => (label.length > 12 ? `${label.slice(0, 11)}…` : label))
  const cells = counts.map((row) => row.map((count) => (count === 0 ? '·' : String(count))))
  const left = Math.max(5, ...names.map((name) => name.length))
  const widths = names.map((name, j) => Math.max(name.length, ...cells.map((row) => row[j].length)))
  const head = names.map((name, j) => name.padStart(widths[j])).join('  ')
  return [
    pc.dim(`${'true \\ predicted'.slice(0, left).padEnd(left)}  ${head}`),
    ...cells.map((row, i) => {
      const line = row.map((cell, j) => {
        const shown = cell.padStart(widths[j])
        if (cell === '·') return pc.dim(shown)
        return i === j ? pc.green(shown) : pc.red(shown)
      })
      return `${names[i].padEnd(left)}  ${line.join('  ')}`
    }),
  ]
}
