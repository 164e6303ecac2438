// Who reads what, and when for the last time: the ground for writing in place.
import type { Node } from '../graph/node.ts'
import type { Fusion } from './fuse.ts'
import type { Lowered } from './lower.ts'
import { isView } from './operands.ts'

/** Steps are positions in the lowered graph's order; what a program keeps is read after the last. */
export class Reads {
  private readonly lastRead = new Map<Node, number>()
  private readonly basesOf = new Map<Node, readonly Node[]>()
  private readonly position = new Map<Node, number>()
  private readonly fusion: Fusion

  constructor(graph: Lowered, fusion: Fusion) {
    this.fusion = fusion
    graph.nodes.forEach((node, step) => {
      this.position.set(node, step)
      if (this.isTransparent(node)) return
      // An assignment names its target, but does not read it.
      const read =
        node.op === 'assign' || node.op === 'assignAt' ? node.inputs.slice(1) : node.inputs
      for (const input of read) for (const base of this.bases(input)) this.lastRead.set(base, step)
    })
    for (const output of graph.outputs)
      for (const base of this.bases(output)) this.lastRead.set(base, Number.POSITIVE_INFINITY)
  }

  stepOf(node: Node): number {
    return this.position.get(node) as number
  }

  /** -1 when nobody does. */
  lastReadOf(node: Node): number {
    return this.lastRead.get(node) ?? -1
  }

  /** The stored values that reading this node means reading. */
  bases(node: Node): readonly Node[] {
    let found = this.basesOf.get(node)
    if (!found) {
      found = this.findBases(node)
      this.basesOf.set(node, found)
    }
    return found
  }

  /** Has no kernel of its own: reading it is reading what is behind it. */
  private isTransparent(node: Node): boolean {
    return isView(node) || node.op === 'pick' || this.fusion.isInlined(node)
  }

  private findBases(node: Node): readonly Node[] {
    if (node.op === 'scalar' || node.op === 'constant') return []
    if (isView(node)) return this.bases(node.inputs[0])
    if (this.fusion.isInlined(node)) return [...new Set(node.inputs.flatMap((x) => this.bases(x)))]
    return [node]
  }
}
