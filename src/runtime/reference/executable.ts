// Runs a lowered graph node by node, with one function for each operation.
import type { TypedArray } from '../../graph/dtype.ts'
import type { Form, HostFunction, Node } from '../../graph/node.ts'
import type { Op, Primitive } from '../../graph/ops.ts'
import type { Lowered } from '../../schedule/lower.ts'
import { HeedError } from '../../util/errors.ts'
import type { Bindings, Executable } from '../device.ts'
import { control } from './control.ts'
import type { ReferenceDevice, ReferenceMemory } from './device.ts'
import { elementwise } from './elementwise.ts'
import { generators } from './generators.ts'
import { kernels } from './kernels.ts'
import { reductions } from './reductions.ts'
import type { Evaluate, Run, Value } from './value.ts'
import { views } from './views.ts'

/** All operations in one total table: a primitive without an entry does not compile. */
const evaluators: { [O in Primitive]: Evaluate<O> } = {
  ...elementwise,
  ...generators,
  ...views,
  ...reductions,
  ...kernels,
  ...control,
}

export class ReferenceExecutable implements Executable {
  readonly arenaBytes = 0
  readonly bytes: number
  readonly kernels: number
  private readonly device: ReferenceDevice
  private readonly graph: Lowered
  /** Index of each leaf, run-time number and host function in its list. */
  private readonly slots: ReadonlyMap<Node, number>
  /** Nodes whose last read is at each step. */
  private readonly dying: Node[][]

  constructor(device: ReferenceDevice, graph: Lowered) {
    this.device = device
    this.graph = graph
    const lists = [graph.leaves, graph.scalars, graph.hosts]
    this.slots = new Map(lists.flatMap((nodes) => nodes.map((node, i) => [node, i] as const)))
    this.kernels = graph.nodes.length
    this.bytes = graph.nodes.length * 256 // approximate size of a node
    this.dying = lastReads(graph)
  }

  run(bindings: Bindings): Promise<void> {
    return this.device.enqueue(this.graph.hosts.length > 0, () => this.walk(bindings))
  }

  /** Runs synchronously up to the first host call, which is asynchronous. */
  private walk(bindings: Bindings): void | Promise<void> {
    const { nodes } = this.graph
    const state = new RunState(this.device, this.graph, this.slots, bindings)
    const finish = (step: number, data: TypedArray | TypedArray[]): void => {
      state.set(nodes[step], data)
      for (const node of this.dying[step]) state.forget(node)
    }
    const from = (start: number): void | Promise<void> => {
      for (let step = start; step < nodes.length; step++) {
        const result = state.compute(nodes[step])
        if (result instanceof Promise)
          return result.then((data) => {
            finish(step, data)
            return from(step + 1)
          })
        finish(step, result)
      }
      state.store()
    }
    return from(0)
  }
}

class RunState implements Run {
  private readonly device: ReferenceDevice
  private readonly graph: Lowered
  private readonly slots: ReadonlyMap<Node, number>
  private readonly bindings: Bindings
  private readonly values = new Map<Node, Value>()
  private readonly many = new Map<Node, readonly TypedArray[]>()
  /** The newest version of each leaf's memory. */
  private readonly assigned = new Map<Node, TypedArray>()

  constructor(
    device: ReferenceDevice,
    graph: Lowered,
    slots: ReadonlyMap<Node, number>,
    bindings: Bindings,
  ) {
    this.device = device
    this.graph = graph
    this.slots = slots
    this.bindings = bindings
  }

  compute(node: Node): ReturnType<Evaluate<Op>> {
    const evaluate = (evaluators as unknown as Record<string, Evaluate<Op>>)[node.op]
    const inputs = node.inputs.map((input) => this.values.get(input) as Value)
    try {
      return evaluate(node, inputs, this)
    } catch (error) {
      if (error instanceof HeedError && node.scope)
        error.message = `${node.scope}: ${error.message}`
      throw error
    }
  }

  set(node: Node, data: TypedArray | TypedArray[]): void {
    if (Array.isArray(data)) this.many.set(node, data)
    const first = Array.isArray(data) ? data[0] : data
    this.values.set(node, { shape: node.shape, dtype: node.dtype, data: first })
  }

  forget(node: Node): void {
    this.values.delete(node)
    this.many.delete(node)
  }

  /** Stores assigned state and outputs, after everything has been computed. */
  store(): void {
    for (const [leaf, data] of this.assigned) this.memoryOf(leaf).data = data
    this.graph.outputs.forEach((node, i) => {
      if (node.op === 'assign' || node.op === 'assignAt') return
      const memory = this.bindings.outputs[i] as ReferenceMemory
      memory.data = (this.values.get(node) as Value).data
    })
  }

  empty(form: Form): TypedArray {
    return this.device.empty(form)
  }

  leaf(node: Node): TypedArray {
    return this.memoryOf(node).data
  }

  number(node: Node): number {
    const slot = this.slots.get(node)
    return slot === undefined ? node.value : this.bindings.scalars[slot]
  }

  outputs(node: Node): readonly TypedArray[] {
    return this.many.get(node) as readonly TypedArray[]
  }

  assign(target: Node, data: TypedArray): void {
    let leaf = target
    while (leaf.op !== 'buffer') leaf = leaf.inputs[0]
    this.assigned.set(leaf, data)
  }

  host(node: Node): HostFunction {
    return this.bindings.hosts[this.slots.get(node) as number]
  }

  private memoryOf(leaf: Node): ReferenceMemory {
    return this.bindings.leaves[this.slots.get(leaf) as number] as ReferenceMemory
  }
}

function lastReads({ nodes, outputs }: Lowered): Node[][] {
  const last = new Map<Node, number>()
  nodes.forEach((node, step) => {
    last.set(node, step)
    for (const input of node.inputs) last.set(input, step)
  })
  const kept = new Set(outputs)
  const dying: Node[][] = nodes.map(() => [])
  for (const [node, step] of last) if (!kept.has(node)) dying[step].push(node)
  return dying
}
