// Emits the kernel calls of a lowered graph in one walk. The destination of each value is known
// in advance (destinations.ts). Views cost nothing, except a reshape that needs a copy.
import { type Form, isOp, Node } from '../graph/node.ts'
import { type Reduction, reduceOps } from '../graph/ops.ts'
import { countOf } from '../graph/shape.ts'
import { Destinations } from './destinations.ts'
import { expressionOf } from './expression.ts'
import { type Fusion, fuse, isPointwise } from './fuse.ts'
import {
  type Call,
  contiguousInputs,
  emitted,
  overwritesInputs,
  overwrittenInput,
} from './kernel-call.ts'
import { kernelFor } from './kernels.ts'
import type { Lowered } from './lower.ts'
import { isProduct, matchBias, type Product } from './match-bias.ts'
import { planMemory } from './memory.ts'
import {
  arenaBuffer,
  inView,
  isView,
  Operands,
  pieceOf,
  sameMemory,
  wholeBuffer,
} from './operands.ts'
import { Reads } from './reads.ts'
import type { Expression, Limits, Operand, Schedule } from './schedule.ts'
import { contiguous, isContiguous, permuted, sameView, sliced } from './strided.ts'

export function schedule(graph: Lowered, limits: Limits): Schedule {
  const emitter = new Emitter(graph, limits)
  for (const [step, node] of graph.nodes.entries()) emitter.emit(node, step)
  emitter.finish()
  return {
    calls: emitter.calls,
    ...planMemory(emitter.calls, limits.alignment),
    literals: emitter.operands.literals,
    leaves: graph.leaves.length,
    scalars: graph.scalars.length,
    outputs: graph.outputs.length,
  }
}

class Emitter {
  readonly calls: Call[] = []
  readonly operands: Operands
  private readonly graph: Lowered
  private readonly fusion: Fusion
  private readonly reads: Reads
  private readonly destinations: Destinations
  private readonly biases: ReturnType<typeof matchBias>
  private readonly picks = new Map<Node, Node[]>()
  private scope = ''

  constructor(graph: Lowered, limits: Limits) {
    this.graph = graph
    this.biases = matchBias(graph)
    this.fusion = fuse(graph, limits, this.biases)
    this.reads = new Reads(graph, this.fusion)
    this.operands = new Operands(graph, (from) => this.copied(from))
    this.destinations = new Destinations(graph, this.fusion, this.reads, this.operands, this.biases)
    for (const node of graph.nodes)
      if (isOp(node, 'pick')) {
        const list = this.picks.get(node.inputs[0]) ?? []
        list[node.attrs.index] = node
        this.picks.set(node.inputs[0], list)
      }
  }

  emit(node: Node, step: number): void {
    this.scope = node.scope
    if (isView(node) || this.fusion.isInlined(node)) return
    const bias = this.biases.sums.get(node)
    if (bias) this.matmul(node, step, bias.product, bias.bias)
    else if (isPointwise(node) || isOp(node, 'iota') || isOp(node, 'random'))
      this.pointwise(node, step)
    else if (reduceOps.has(node.op)) this.reduce(node as Node<Reduction>)
    else if (isProduct(node)) this.matmul(node, step, node, null)
    else if (isOp(node, 'concat')) this.concat(node)
    else if (isOp(node, 'pad')) this.pad(node)
    else if (isOp(node, 'updateAt')) this.updateAt(node)
    else if (isOp(node, 'assign')) this.assign(node, step)
    else if (isOp(node, 'assignAt')) this.assignAt(node, step)
    else if (isOp(node, 'hostCall')) this.hostCall(node)
    else this.kernel(node, step)
  }

  /** Copies the outputs that no kernel has written to their own memory. */
  finish(): void {
    this.scope = ''
    this.graph.outputs.forEach((node, index) => {
      if (isOp(node, 'assign') || isOp(node, 'assignAt')) return
      const from = this.operands.get(node)
      const to = wholeBuffer(this.destinations.outputBuffer(index), node)
      if (!sameMemory(from, to)) this.copy(from, to)
    })
  }

  // --- element-wise

  private pointwise(node: Node, step: number): void {
    const { expression, inputs } = expressionOf(node, node.shape, this.fusion, this.operands)
    const out = this.pointwiseTarget(node, step, inputs)
    this.elementwise(expression, inputs, out)
    this.operands.set(node, out)
  }

  private pointwiseTarget(node: Node, step: number, inputs: Operand[]): Operand {
    const wanted = this.destinations.get(node)
    if (wanted && inputs.every((x) => x.buffer !== wanted.buffer || sameView(x, wanted)))
      return wanted
    // An arena buffer whose last read is here can be overwritten in place.
    for (const base of new Set([...node.inputs].flatMap((x) => this.reads.bases(x)))) {
      if (this.reads.lastReadOf(base) !== step || this.destinations.get(base)) continue
      const old = this.operands.get(base)
      const fits =
        old.buffer.kind === 'arena' &&
        old.dtype === node.dtype &&
        old.buffer.count === countOf(node.shape) &&
        inputs.every((x) => x.buffer !== old.buffer || (isContiguous(x) && x.offset === 0))
      if (fits) return wholeBuffer(old.buffer, node)
    }
    return this.fresh(node)
  }

  private reduce(node: Node<Reduction>): void {
    const [x] = node.inputs
    const { axes } = node.attrs
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
    const order = [...kept, ...axes]
    const { expression, inputs } = this.reducedExpression(x, order)
    const out = this.target(node)
    const moved = inputs.map((operand) => inView(operand, permuted(operand, order)))
    const lanes = laneOf[(expression.steps.at(-1) ?? inputs[0]).dtype]
    this.call({
      kernel: 'reduce',
      inputs: { inputs: moved },
      outputs: { out },
      attributes: { reduction: node.op, lanes, kept: kept.length, program: expression },
    })
    this.operands.set(node, out)
  }

  /** The expression of the operand, with its axes in the order of the reduction's loop. */
  private reducedExpression(
    x: Node,
    order: number[],
  ): { expression: Expression; inputs: Operand[] } {
    if (!this.fusion.isInlined(x)) {
      const plain = { inputs: 1, steps: [], results: [0] }
      return { expression: plain, inputs: [this.operands.get(x)] }
    }
    const { expression, inputs } = expressionOf(x, x.shape, this.fusion, this.operands)
    const inOrder = order.every((axis, i) => axis === i)
    // A reduction takes its shape from its inputs, and random numbers depend on their position in the
    // original order. In both cases the value is stored first.
    const apart = !inOrder && expression.steps.some((s) => s.op === 'random')
    if (apart || inputs.length === 0) {
      const stored = this.fresh(x)
      this.elementwise(expression, inputs, stored)
      return { expression: { inputs: 1, steps: [], results: [0] }, inputs: [stored] }
    }
    const steps = expression.steps.map((s) =>
      s.op === 'iota' ? { ...s, args: [order.indexOf(s.args[0])] } : s,
    )
    return { expression: { ...expression, steps }, inputs }
  }

  // --- kernels

  private matmul(node: Node, step: number, product: Product, biasNode: Node | null): void {
    const [left, right] = product.inputs
    // The sum may have a different shape from the product (B·T rows), but has the same memory.
    const inShape = (target: Operand): Operand =>
      node === product
        ? target
        : inView(target, { ...contiguous(product.shape), offset: target.offset })
    if (isOp(product, 'matmulQuantized')) {
      const inputs = {
        x: this.operands.get(left),
        w: this.adjacent(right),
        bias: biasNode && this.operands.get(biasNode),
      }
      const { format } = product.attrs
      const target = this.target(node)
      const outputs = { out: inShape(target) }
      this.call({ kernel: 'matmulQuantized', inputs, outputs, attributes: { format } })
      this.operands.set(node, target)
      return
    }
    const batch = product.shape.slice(0, -2)
    const inBatch = (x: Node): Operand =>
      this.operands.expanded(x, [...batch, ...x.shape.slice(-2)])
    const inputs = {
      a: inBatch(left),
      b: inBatch(right),
      bias: biasNode && this.operands.expanded(biasNode, product.shape),
    }
    const reused = biasNode && this.reused(biasNode, node, step, [inputs.a, inputs.b])
    const target = reused ?? this.target(node)
    this.call({ kernel: 'matmul', inputs, outputs: { out: inShape(target) }, attributes: {} })
    this.operands.set(node, target)
  }

  private kernel(node: Node, step: number): void {
    if (node.op === 'pick' || node.inputs.length === 0) return
    const contiguous = contiguousInputs.get(node.op)
    const inputs = node.inputs.map((input, i) =>
      contiguous?.[i] ? this.adjacent(input) : this.operands.get(input),
    )
    const picks = this.picks.get(node)
    const results = node.forms?.map((form, i) => picks?.[i] ?? form) ?? [node]
    const outputs = results.map((result, i) => {
      if (!(result instanceof Node)) return this.fresh(result)
      const over = overwrittenInput(node.op, i)
      const others = inputs.filter((_, input) => input !== over)
      const reused = over === null ? null : this.reused(node.inputs[over], result, step, others)
      return reused ?? this.target(result, inputs, overwritesInputs.has(node.op))
    })
    this.call(kernelFor(node, inputs, outputs))
    results.forEach((result, i) => {
      if (result instanceof Node) this.operands.set(result, outputs[i])
    })
  }

  private concat(node: Node<'concat'>): void {
    const out = this.target(node)
    let start = 0
    for (const part of node.inputs) {
      const view = pieceOf(out, node.attrs.axis, start, part)
      if (!sameMemory(this.operands.get(part), view)) this.copy(this.operands.get(part), view)
      start += part.shape[node.attrs.axis]
    }
    this.operands.set(node, out)
  }

  private pad(node: Node<'pad'>): void {
    const [x] = node.inputs
    const out = this.target(node)
    this.copy(this.zero(node), out)
    const inside = sliced(
      out,
      node.attrs.before,
      x.shape,
      x.shape.map(() => 1),
    )
    this.copy(this.operands.get(x), inView(out, inside))
    this.operands.set(node, out)
  }

  private zero({ shape, dtype }: Form): Operand {
    return { ...this.operands.zero(dtype), shape, strides: shape.map(() => 0) }
  }

  private updateAt(node: Node<'updateAt'>): void {
    const [x, source, offset] = node.inputs.map((input) => this.operands.get(input))
    const out = this.target(node, [x, source, offset])
    this.copy(x, out)
    this.copyAt(source, out, offset, node.attrs.axis)
    this.operands.set(node, out)
  }

  // --- state

  private assign(node: Node<'assign'>, step: number): void {
    const [target, value] = node.inputs
    const memory = this.overwritable(target, step)
    const from = this.operands.get(value)
    if (!sameMemory(from, memory)) {
      // Reading and writing the same memory in different orders needs a copy in between.
      this.copy(from.buffer === memory.buffer ? this.copied(from) : from, memory)
    }
    this.operands.set(node, memory)
  }

  private assignAt(node: Node<'assignAt'>, step: number): void {
    const [target, value, offset] = node.inputs
    const memory = this.overwritable(target, step)
    const from = this.operands.get(value)
    const source = from.buffer === memory.buffer ? this.copied(from) : from
    this.copyAt(source, memory, this.operands.get(offset), node.attrs.axis)
    this.operands.set(node, memory)
  }

  /** The memory of an assigned target. If the old version is read later, it is copied first. */
  private overwritable(target: Node, step: number): Operand {
    const memory = this.operands.get(target)
    if (this.reads.lastReadOf(target) > step) this.operands.move(target, this.copied(memory))
    return memory
  }

  private hostCall(node: Node<'hostCall'>): void {
    const values = node.inputs.map((input) => this.adjacent(input))
    const result = this.target(node)
    const attributes = { host: this.graph.hosts.indexOf(node) }
    this.call({ kernel: 'host', inputs: { values }, outputs: { result }, attributes })
    this.operands.set(node, result)
  }

  // --- memory

  /** The memory for a node's value: its destination if it has one that fits, otherwise a new arena buffer. */
  private target(node: Node, inputs: Operand[] = [], aligned = false): Operand {
    const wanted = this.destinations.get(node)
    const clashes = (x: Operand): boolean =>
      x.buffer === wanted?.buffer && !(aligned && sameView(x, wanted))
    return wanted && !inputs.some(clashes) ? wanted : this.fresh(node)
  }

  /** The memory of an input that is read here for the last time, if it can hold a result that has no other destination. */
  private reused(input: Node, result: Node, step: number, others: Operand[]): Operand | null {
    const [base, ...more] = this.reads.bases(input)
    const isLast = base && more.length === 0 && this.reads.lastReadOf(base) === step
    if (!isLast || this.destinations.get(base) || this.destinations.get(result)) return null
    const { buffer } = this.operands.get(base)
    const view = this.operands.get(input)
    const fits =
      buffer.kind === 'arena' &&
      buffer.dtype === result.dtype &&
      buffer.count === countOf(result.shape) &&
      view.buffer === buffer &&
      view.offset === 0 &&
      isContiguous(view) &&
      others.every((x) => x.buffer !== buffer)
    return fits ? wholeBuffer(buffer, result) : null
  }

  private fresh(form: Form): Operand {
    return wholeBuffer(arenaBuffer(form.dtype, countOf(form.shape)), form)
  }

  /** A node's value in contiguous memory. */
  private adjacent(node: Node): Operand {
    const operand = this.operands.get(node)
    return isContiguous(operand) ? operand : this.copied(operand)
  }

  private copied(from: Operand): Operand {
    const to = this.fresh(from)
    this.copy(from, to)
    return to
  }

  private copy(from: Operand, to: Operand): void {
    this.elementwise({ inputs: 1, steps: [], results: [0] }, [from], to)
  }

  private elementwise(program: Expression, inputs: Operand[], out: Operand): void {
    const outputs = { outputs: [out] }
    this.call({ kernel: 'elementwise', inputs: { inputs }, outputs, attributes: { program } })
  }

  private copyAt(source: Operand, target: Operand, offset: Operand, axis: number): void {
    const inputs = { source, offset }
    this.call({ kernel: 'copyAt', inputs, outputs: { target }, attributes: { axis } })
  }

  private call(call: Parameters<typeof emitted>[0]): void {
    this.calls.push(emitted(call, this.scope))
  }
}

/** The type in which a reduction combines values; i32 for u8 and bool. */
const laneOf = { f32: 'f32', i32: 'i32', u32: 'u32', u8: 'i32', bool: 'i32' } as const
