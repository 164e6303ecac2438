// Traces the graph of some tensors and computes its key. Graphs with the same key share a program.
// Nodes are numbered at first encounter, so mul(a, b) and mul(a, a) have different keys.
import { isOp, leafSignature, type Node } from '../graph/node.ts'

export interface Trace {
  /** All nodes, in topological order. */
  nodes: Node[]
  outputs: Node[]
  leaves: Node[]
  scalars: Node[]
  hosts: Node[]
  assigns: Node[]
  /** State that must be computed first, in a separate program. */
  pendingState: Node[]
  key: Int32Array
  hash: number
}

/** Whether the value of a node exists, so that tracing stops there. */
export const isLeaf = (node: Node): boolean => node.place !== null || node.data !== null

/** Whether a node writes to existing memory. */
export const isAssignment = (node: Node): boolean => node.op === 'assign' || node.op === 'assignAt'

let walk = 0

export function trace(outputs: readonly Node[]): Trace {
  const nodes = collect(outputs)
  const out: Trace = {
    nodes,
    outputs: [...outputs],
    leaves: [],
    scalars: [],
    hosts: [],
    assigns: [],
    pendingState: [],
    key: new Int32Array(0),
    hash: 0,
  }
  const words: number[] = []
  nodes.forEach((node, index) => {
    node.index = index
    if (isLeaf(node)) {
      out.leaves.push(node)
      words.push(leafSignature(node), -1)
      return
    }
    classify(node, out)
    words.push(node.signature, node.inputs.length)
    for (const input of node.inputs) words.push(input.index)
  })
  words.push(-2)
  for (const node of outputs) words.push(node.index)
  out.key = Int32Array.from(words)
  out.hash = hashOf(out.key)
  return out
}

function classify(node: Node, out: Trace): void {
  if (node.persistent) out.pendingState.push(node)
  if (isOp(node, 'scalar')) out.scalars.push(node)
  else if (isOp(node, 'hostCall')) out.hosts.push(node)
  else if (isAssignment(node)) out.assigns.push(node)
}

/**
 * All nodes that `outputs` depend on, sorted by id. Leaves are placed at their first use instead: an
 * assignment replaces a leaf by a node with a higher id, but must not change the key. Iterative, because
 * graphs can be very deep.
 */
function collect(outputs: readonly Node[]): Node[] {
  walk++
  const found: Node[] = []
  const stack: Node[] = []
  for (const output of outputs) {
    if (output.traceWalk === walk) continue
    output.traceWalk = walk
    found.push(output)
    stack.push(output)
  }
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (isLeaf(node)) continue
    for (const input of node.inputs) {
      if (input.traceWalk === walk) continue
      input.traceWalk = walk
      found.push(input)
      stack.push(input)
    }
  }
  const computed = found.filter((node) => !isLeaf(node)).sort((a, b) => a.id - b.id)
  walk++
  const ordered: Node[] = []
  const place = (node: Node): void => {
    if (node.traceWalk === walk) return
    node.traceWalk = walk
    ordered.push(node)
  }
  for (const node of computed) {
    for (const input of node.inputs) if (isLeaf(input)) place(input)
    place(node)
  }
  outputs.forEach(place)
  return ordered
}

/** The FNV-1a hash of the words. */
function hashOf(words: Int32Array): number {
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193)
  return hash
}

/** The leaf whose memory a chain of assignments writes. */
export function assignedLeaf(node: Node): Node {
  let target = node.inputs[0]
  while (!isLeaf(target) && isAssignment(target)) target = target.inputs[0]
  return target
}
