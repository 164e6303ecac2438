// Draws a graph of operations: each node below its inputs, edges as curves.
import type { Panel } from '../chapters/draw.ts'

export interface GraphNode {
  id: number
  label: string
  inputs: readonly number[]
  /** Colour 0 to 3; null for values that exist already. */
  color: number | null
}

const [WIDTH, BOX, ROW] = [460, 30, 58]

/** A node is one row below the lowest of its inputs; rows are centred. */
export function drawGraph(nodes: readonly GraphNode[]): Panel {
  const row = new Map<number, number>()
  for (const { id, inputs } of nodes)
    row.set(
      id,
      inputs.length === 0 ? -1 : 1 + Math.max(...inputs.map((input) => row.get(input) ?? 0)),
    )
  for (const { id, inputs } of nodes.toReversed()) {
    if (inputs.length > 0) continue // values that exist are directly above their first use
    const uses = nodes
      .filter((node) => node.inputs.includes(id))
      .map((node) => row.get(node.id) ?? 1)
    row.set(id, Math.min(...uses) - 1)
  }
  const top = Math.min(...row.values())
  const rows = new Map<number, GraphNode[]>()
  for (const node of nodes) {
    const r = (row.get(node.id) ?? 0) - top
    rows.set(r, [...(rows.get(r) ?? []), node])
  }
  const boxes = new Map<number, { x: number; y: number; width: number }>()
  for (const [r, items] of rows) {
    const widths = items.map(({ label }) => label.length * 6.6 + 14)
    const gap = Math.min(26, (WIDTH - 16 - widths.reduce((a, b) => a + b, 0)) / items.length)
    let x = (WIDTH - widths.reduce((a, b) => a + b, 0) - gap * (items.length - 1)) / 2
    items.forEach(({ id }, i) => {
      boxes.set(id, { x, y: r * ROW + 4, width: widths[i] })
      x += widths[i] + gap
    })
  }
  const edges: string[] = []
  const marks: string[] = []
  for (const { id, label, inputs, color } of nodes) {
    const box = boxes.get(id)
    if (!box) continue
    for (const input of inputs) {
      const from = boxes.get(input)
      if (!from) continue
      const [x0, y0, x1, y1] = [from.x + from.width / 2, from.y + BOX, box.x + box.width / 2, box.y]
      edges.push(
        `M${x0.toFixed(0)} ${y0}C${x0.toFixed(0)} ${y0 + 22} ${x1.toFixed(0)} ${y1 - 22} ${x1.toFixed(0)} ${y1}`,
      )
    }
    const shape = `x="${box.x.toFixed(0)}" y="${box.y}" width="${box.width.toFixed(0)}" height="${BOX}" rx="6"`
    const look = color === null ? 'class="box"' : `class="c${color} line"`
    const word = label.replaceAll('<', '&lt;')
    marks.push(
      `<rect ${shape} class="card"/><rect ${shape} ${look}/><text x="${(box.x + box.width / 2).toFixed(0)}" y="${box.y + 19}" text-anchor="middle" style="font-size:12px">${word}</text>`,
    )
  }
  return {
    height: Math.max(...rows.keys()) * ROW + BOX + 8,
    body: `<path d="${edges.join('')}" style="stroke:#8889;fill:none;stroke-width:1.5"/>${marks.join('')}`,
  }
}
