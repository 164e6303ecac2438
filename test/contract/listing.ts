import type { Node } from '../../src/graph/node.ts'

/** The graph behind some nodes, one line each: what a failing property prints. */
export function listing(nodes: readonly Node[], limit = 60): string {
  const seen = new Set<Node>(nodes)
  for (const node of seen) for (const input of node.inputs) seen.add(input)
  const sorted = [...seen].sort((a, b) => a.id - b.id)
  const first = sorted[0].id
  const lines = sorted.map((node) => {
    const inputs = node.inputs.map((x) => `%${x.id - first}`).join(', ')
    const mark = nodes.includes(node) ? ' *' : ''
    const attrs = node.op === 'buffer' ? '' : ` ${JSON.stringify(node.attrs)}`
    const number = node.op === 'scalar' ? ` = ${node.value}` : ''
    return `  %${node.id - first} = ${node.op}(${inputs})${attrs}${number}: (${node.shape}) ${node.dtype}${mark}`
  })
  return lines.length <= limit ? lines.join('\n') : `  ${lines.length} nodes`
}
