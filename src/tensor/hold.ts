// Held programs: traced once, then run repeatedly with new inputs, new run-time numbers and the newest state, without
// building a graph. Training and generation use them.
import * as g from '../graph/build.ts'
import { dtypeOfArray, type TypedArray } from '../graph/dtype.ts'
import { type HostFunction, Node, upcomingId } from '../graph/node.ts'
import { countOf, type Shape, showShape } from '../graph/shape.ts'
import type { Device, DeviceMemory, Executable } from '../runtime/device.ts'
import { defaultDevice } from '../runtime/devices.ts'
import { programFor } from '../runtime/programs.ts'
import { launch, leafOn, memoryOf, submit, watched } from '../runtime/run.ts'
import { count } from '../runtime/stats.ts'
import { assignedLeaf, isAssignment, type Trace, trace } from '../runtime/trace.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { ShapeError } from '../util/errors.ts'
import { nodesOf } from './arguments.ts'
import { type TensorCore, tensorOf, watchAssignments } from './core.ts'
import { awaitPrevious } from './submit.ts'
import type { Tensor } from './tensor.ts'

/** An input of a held program: values and their shape. The dtype follows from the array. */
export interface HeldInput {
  /** The values in row-major order. */
  data: TypedArray
  /** Shape of the input. Each new combination of shapes is traced and compiled once. */
  shape: Shape
}

/** Runs a held program. Resolves when the previous run has finished; the results of this run may still be pending. */
export type Held = (...inputs: HeldInput[]) => Promise<Tensor[]>

/**
 * Makes a held program. `body` builds the graph from input tensors and returns the tensors to be read; all state that
 * it assigns is updated. `body` is called once for each combination of input shapes, so its side effects happen only at
 * the first run. Use `runtimeScalar(f)` for numbers that change.
 * @throws HeedError if `body` is not a function, and at a run for inputs that are not `{ data, shape }`
 */
export function hold(body: (...inputs: Tensor[]) => Tensor[], device?: Device): Held {
  checkArgument('hold', 'body', body, 'function')
  const programs = new Map<string, HeldProgram>()
  let recorded = epoch
  return async (...inputs) => {
    if (recorded !== epoch) programs.clear()
    recorded = epoch
    for (const input of inputs) checkInput(input)
    for (const { data, shape } of inputs)
      if (data.length !== countOf(shape))
        throw new ShapeError(
          `hold(): an input of shape ${showShape(shape)} must have ${countOf(shape)} values, got ${data.length}`,
        )
    const key = inputs
      .map(({ data, shape }) => `${data.constructor.name} ${shape.join()}`)
      .join(' ')
    const held = programs.get(key)
    if (held) return held.run(inputs)
    const { program, results } = await first(body, inputs, device ?? defaultDevice())
    programs.set(key, program)
    return results
  }
}

let epoch = 0

/**
 * Makes every held program record its body again in its next run, because what it calls has changed. Programs of the same
 * shape are not compiled again.
 */
export const recordAgain = (): void => void epoch++

/** Changes with each call of `recordAgain`. */
export const holdEpoch = (): number => epoch

function checkInput(input: HeldInput): void {
  if (!ArrayBuffer.isView(input?.data) || !Array.isArray(input.shape))
    throw wrongArgument(
      'hold()',
      'input',
      input,
      'an object { data, shape } with a typed array and its shape',
    )
}

async function first(
  body: (...inputs: Tensor[]) => Tensor[],
  inputs: HeldInput[],
  device: Device,
): Promise<{ program: HeldProgram; results: Tensor[] }> {
  const born = upcomingId()
  const leaves = inputs.map(({ data, shape }) => g.leaf(data.slice(), shape, dtypeOfArray(data)))
  const { result, state } = watchAssignments(() => body(...leaves.map(tensorOf)))
  nodesOf(result, 'hold()', 'the result of body')
  const wanted = [...result.map((t) => t.node), ...state.map((t) => t.node)]
  let graph = trace(wanted)
  // What was assigned before is not part of the program, which would assign it again in each run.
  const earlier = [...graph.pendingState, ...graph.assigns.filter(({ id }) => id < born)]
  if (earlier.length > 0) {
    await submit(earlier, device)
    graph = trace(wanted)
  }
  const executable = programFor(graph, device)
  const program = new HeldProgram(graph, executable, device, leaves, result.length, state)
  const run = launch(graph, device, executable)
  for (const node of wanted) node.release()
  await awaitPrevious(run)
  return { program, results: result.map((t) => tensorOf(t.node)) }
}

type LeafSlot = { input: number } | { memory: DeviceMemory; owner: TensorCore | null }

class HeldProgram {
  private readonly device: Device
  private readonly executable: Executable
  private readonly leaves: LeafSlot[]
  private readonly scalars: { value: number; read: (() => number) | null }[]
  private readonly hosts: HostFunction[]
  /** Memory that is written in place, one entry per assignment; null: new memory for a result. */
  private readonly outputs: { form: Node; memory: DeviceMemory | null }[]
  private readonly assigned: DeviceMemory[]
  private readonly results: number
  private readonly state: { tensor: TensorCore; memory: DeviceMemory }[]

  /** Must run before the launch, which moves the leaves of the graph to new versions. */
  constructor(
    graph: Trace,
    executable: Executable,
    device: Device,
    inputs: Node[],
    results: number,
    state: TensorCore[],
  ) {
    this.device = device
    this.executable = executable
    this.results = results
    this.scalars = graph.scalars.map(({ value, read }) => ({ value, read }))
    this.hosts = graph.hosts.map((node) => node.host as HostFunction)
    for (const leaf of graph.leaves) this.place(leaf, inputs)
    this.leaves = graph.leaves.map((leaf) => {
      const input = inputs.indexOf(leaf)
      if (input >= 0) return { input }
      return { memory: memoryOf(leaf), owner: leaf.variable as TensorCore | null }
    })
    const written = (node: Node): DeviceMemory | null =>
      isAssignment(node) ? memoryOf(assignedLeaf(node)) : null
    this.outputs = graph.outputs.map((node) => ({ form: bare(node), memory: written(node) }))
    this.assigned = graph.assigns.map((node) => memoryOf(assignedLeaf(node)))
    this.state = state.map((tensor) => ({ tensor, memory: memoryOf(assignedLeaf(tensor.node)) }))
  }

  async run(inputs: HeldInput[]): Promise<Tensor[]> {
    await this.bringUpToDate()
    const leaves = this.leaves.map((slot) =>
      'input' in slot ? this.upload(inputs[slot.input]) : slot.memory,
    )
    const outputs = this.outputs.map(
      ({ form, memory }) =>
        memory ?? this.device.allocate(form.dtype, countOf(form.shape), 'a held result'),
    )
    const scalars = this.scalars.map(({ value, read }) => (read ? read() : value))
    const run = this.executable.run({ leaves, scalars, outputs, hosts: this.hosts })
    count.runs++
    count.cacheHits++
    for (const memory of this.assigned) memory.version++
    for (const { tensor, memory } of this.state)
      tensor.moveTo(leafOn(memory, tensor.shape, tensor.dtype))
    const fresh = outputs.filter((_, i) => this.outputs[i].memory === null)
    await awaitPrevious(watched(run, leaves, fresh))
    return this.outputs
      .slice(0, this.results)
      .map(({ form }, i) => tensorOf(leafOn(outputs[i], form.shape, form.dtype)))
  }

  /** Computes state that was assigned since the last run. */
  private async bringUpToDate(): Promise<void> {
    const pending: Node[] = []
    for (const slot of this.leaves)
      if ('owner' in slot && slot.owner && !slot.owner.node.place) pending.push(slot.owner.node)
    if (pending.length > 0) await submit(pending, this.device)
  }

  private upload({ data, shape }: HeldInput): DeviceMemory {
    return this.device.upload(data, dtypeOfArray(data), showShape(shape))
  }

  private place(leaf: Node, inputs: Node[]): void {
    if (leaf.place || inputs.includes(leaf)) return
    const memory = this.device.upload(leaf.data as TypedArray, leaf.dtype, leaf.scope || 'data')
    leaf.place = { memory, version: memory.version }
    leaf.data = null
  }
}

/** A node with the same shape and dtype, without its inputs. */
const bare = ({ shape, dtype }: Node): Node =>
  new Node('buffer', [], { shape, dtype }, { shape, dtype })
