// The last read of each value. Writing in place depends on it.
import type { Node } from '../graph/node.ts'
import type { Fusion } from './fuse.ts'
import type { Lowered } from './lower.ts'
import { isView } from './operands.ts'

/** Steps are positions in the lowered graph. Outputs of the program count as read after the last step. */
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
      // An assignment does not read its target.
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

  /** The step of the last read, or -1 if the value is never read. */
  lastReadOf(node: Node): number {
    return this.lastRead.get(node) ?? -1
  }

  /** The stored values that are read when this node is read. */
  bases(node: Node): readonly Node[] {
    let found = this.basesOf.get(node)
    if (!found) {
      found = this.findBases(node)
      this.basesOf.set(node, found)
    }
    return found
  }

  /** Whether the node has no separate kernel, so that reading it means reading its inputs. */
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
