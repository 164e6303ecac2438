// Destinations: memory that a kernel writes its result to directly, in place of a copy afterwards. These
// are outputs of the program, assigned state, and slices of a concatenation.
import { isOp, type Node } from '../graph/node.ts'
import { type Op, reduceOps } from '../graph/ops.ts'
import { countOf } from '../graph/shape.ts'
import { type Fusion, isPointwise } from './fuse.ts'
import { overwritesInputs } from './kernel-call.ts'
import { hasKernel } from './kernels.ts'
import type { Lowered } from './lower.ts'
import type { Biases } from './match-bias.ts'
import { arenaBuffer, inView, isView, type Operands, pieceOf, wholeBuffer } from './operands.ts'
import type { Reads } from './reads.ts'
import type { Buffer, Operand } from './schedule.ts'
import { isContiguous, permuted, reshaped } from './strided.ts'

export class Destinations {
  private readonly targets = new Map<Node, Operand>()
  private readonly outputs: Buffer[]
  private readonly fusion: Fusion
  private readonly reads: Reads
  private readonly biases: Biases

  constructor(graph: Lowered, fusion: Fusion, reads: Reads, operands: Operands, biases: Biases) {
    this.fusion = fusion
    this.reads = reads
    this.biases = biases
    this.outputs = graph.outputs.map(({ dtype, shape }, index) => ({
      kind: 'output',
      index,
      dtype,
      count: countOf(shape),
      offset: 0,
    }))
    for (const node of graph.nodes) if (isOp(node, 'assign')) this.assigned(node, operands)
    graph.outputs.forEach((node, i) => {
      this.throughViews(node, wholeBuffer(this.outputs[i], node))
    })
    for (const node of [...graph.nodes].reverse()) {
      if (isOp(node, 'concat')) this.concat(node)
      if (isOp(node, 'reshape') && isOp(node.inputs[0], 'permute')) this.reordered(node)
    }
  }

  get(node: Node): Operand | undefined {
    return this.targets.get(node)
  }

  outputBuffer(index: number): Buffer {
    return this.outputs[index]
  }

  /** Whether a kernel writes the result: it is neither a view, nor inlined, nor existing memory. */
  private isWritten(node: Node): boolean {
    if (this.fusion.isInlined(node)) return false
    if (written.has(node.op)) return true
    return isPointwise(node) || reduceOps.has(node.op) || hasKernel(node)
  }

  private want(node: Node, operand: Operand): void {
    if (!this.targets.has(node)) this.targets.set(node, operand)
  }

  /**
   * The new value overwrites the old one if no later kernel reads the old one. Other readers of the new
   * value then read it from this memory, unless a further assignment follows.
   */
  private assigned(node: Node<'assign'>, operands: Operands): void {
    const [target, given] = node.inputs
    const value = this.behindReshapes(given)
    if (!this.isWritten(value)) return
    const isLast = this.fusion.users(node).every((user) => !assigns(user))
    const isRead =
      this.fusion.users(value).length > 1 || this.reads.lastReadOf(value) > this.reads.stepOf(node)
    if (isRead && !isLast) return
    const producer = isOp(value, 'pick') ? value.inputs[0] : value
    const step = this.firstWriteOf(producer)
    const version = leafBehind(target)
    if (!version || (target !== version && this.reads.stepOf(target) > step)) return
    const lastRead = this.reads.lastReadOf(target)
    const readsItself =
      value === given && (isPointwise(producer) || overwritesInputs.has(producer.op))
    if (lastRead > step || (lastRead === step && !readsItself)) return
    this.want(value, wholeBuffer(operands.get(version).buffer, value))
  }

  /** Skips reshapes whose input has no other reader: the elements are the same, in the same order. */
  private behindReshapes(last: Node): Node {
    let node = last
    while (isOp(node, 'reshape') && !this.fusion.isInlined(node) && this.isReadOnce(node))
      node = node.inputs[0]
    return node
  }

  /** The step that first writes the memory of a node. Parts of a concatenation are written before the whole. */
  private firstWriteOf(node: Node): number {
    let step = this.reads.stepOf(node)
    if (!isOp(node, 'concat')) return step
    for (const part of node.inputs) {
      let written = part
      while (isView(written) || written.op === 'pick') written = written.inputs[0]
      if (written.inputs.length > 0) step = Math.min(step, this.firstWriteOf(written))
    }
    return step
  }

  /** Inputs without another reader are computed in place, through the views in between. */
  private concat(node: Node<'concat'>): void {
    const out =
      this.targets.get(node) ?? wholeBuffer(arenaBuffer(node.dtype, countOf(node.shape)), node)
    this.want(node, out)
    let start = 0
    for (const part of node.inputs) {
      if (this.isReadOnce(part)) this.throughViews(part, pieceOf(out, node.attrs.axis, start, part))
      start += part.shape[node.attrs.axis]
    }
  }

  /**
   * A reshape of a permuted value needs a copy, unless the kernel writes the value in the permuted order
   * directly. Attention writes its heads next to each other this way.
   */
  private reordered(node: Node<'reshape'>): void {
    if (this.fusion.isInlined(node)) return
    this.throughViews(node, wholeBuffer(arenaBuffer(node.dtype, countOf(node.shape)), node))
  }

  /** Sets the destination of the result that `last` is a view of, so that `last` fills `target`. */
  private throughViews(last: Node, target: Operand): void {
    let node = last
    let view = target
    while (!this.isWritten(node)) {
      const [input] = node.inputs
      if (isOp(node, 'permute')) {
        const inverse = new Array<number>(view.shape.length)
        node.attrs.order.forEach((axis, i) => {
          inverse[axis] = i
        })
        view = inView(view, permuted(view, inverse))
      } else if (isOp(node, 'reshape') && !this.fusion.isInlined(node)) {
        const back = reshaped(view, input.shape)
        if (!back) return
        view = inView(view, back)
      } else return
      node = input
    }
    // A product with a fused bias is written as one contiguous matrix.
    if (!this.biases.sums.has(node) || isContiguous(view)) this.want(node, view)
  }

  /** Whether the node has one reader, and so does every view between it and the stored value. */
  private isReadOnce(node: Node): boolean {
    if (this.fusion.users(node).length !== 1) return false
    return this.isWritten(node) || node.inputs.length === 0 || this.isReadOnce(node.inputs[0])
  }
}

const assigns = (node: Node): boolean => isOp(node, 'assign') || isOp(node, 'assignAt')

function leafBehind(target: Node): Node | null {
  let node = target
  while (assigns(node)) node = node.inputs[0]
  return isOp(node, 'buffer') ? node : null
}

/** Operations whose kernel calls the emitter makes itself. */
const written: ReadonlySet<string> = new Set<Op>(['pick', 'matmul', 'matmulQuantized', 'concat'])
