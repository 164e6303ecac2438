// Finds or compiles the program that computes some tensors, and runs it on a device.
import type { DType, TypedArray } from '../graph/dtype.ts'
import { describe, type HostFunction, Node, type Place } from '../graph/node.ts'
import { countOf } from '../graph/shape.ts'
import { HeedError, OutOfMemoryError, StaleTensorError } from '../util/errors.ts'
import { macrotask } from '../util/macrotask.ts'
import type { Device, DeviceMemory, Executable } from './device.ts'
import { defaultDevice } from './devices.ts'
import { programFor } from './programs.ts'
import { count } from './stats.ts'
import { assignedLeaf, isAssignment, isLeaf, type Trace, trace } from './trace.ts'

/** The memory in which a computed value is stored. */
export const memoryOf = (node: Node): DeviceMemory => (node.place as Place).memory as DeviceMemory

/**
 * Queues one program that computes all `outputs` and returns immediately. The promise settles when the
 * program has run. Pending state is computed first, in a separate program, so that the first step of a
 * loop is the same program as all others.
 */
export function submit(outputs: readonly Node[], preferred?: Device): Promise<void> {
  const missing = outputs.filter((node) => !isLeaf(node))
  if (missing.length === 0) return Promise.resolve()
  const graph = trace(missing)
  if (graph.pendingState.length === 0) return compileAndLaunch(graph, preferred)
  const born = submitState(graph.pendingState, preferred)
  const rest = missing.filter((node) => !isLeaf(node))
  if (rest.length === 0) return born
  const run = compileAndLaunch(trace(rest), preferred)
  return born.then(() => run)
}

/** New state in one program; but state that is assigned before other state is made from it needs memory first. */
function submitState(pending: readonly Node[], preferred?: Device): Promise<void> {
  const graph = trace(pending)
  if (graph.assigns.length === 0) return compileAndLaunch(graph, preferred)
  const first = pending.filter((node) => trace([node]).pendingState.length === 1)
  const run = compileAndLaunch(trace(first), preferred)
  const rest = pending.filter((node) => !isLeaf(node))
  if (rest.length === 0) return run
  const more = submitState(rest, preferred)
  return run.then(() => more)
}

/**
 * Like `submit`, but if memory runs out, it waits until finalisers have freed memory and tries again. Resolves when
 * the program is queued; keep the graph until then. `run` settles when the program has run.
 */
export async function submitPatiently(
  outputs: readonly Node[],
  preferred?: Device,
): Promise<{ run: Promise<void> }> {
  try {
    return { run: submit(outputs, preferred) }
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error
    await macrotask()
    await macrotask()
    return { run: submit(outputs, preferred) }
  }
}

function compileAndLaunch(graph: Trace, preferred?: Device): Promise<void> {
  const device = preferred ?? deviceOf(graph)
  return launch(graph, device, programFor(graph, device))
}

/** Binds the leaves, numbers and outputs of a graph to its program and runs it. */
export function launch(graph: Trace, device: Device, executable: Executable): Promise<void> {
  const leaves = graph.leaves.map((leaf) => bindLeaf(leaf, device))
  const outputs = graph.outputs.map((node) => outputMemory(node, device))
  const run = executable.run({
    leaves,
    scalars: graph.scalars.map((node) => node.value),
    outputs,
    hosts: graph.hosts.map((node) => node.host as HostFunction),
  })
  const fresh = outputs.filter((_, i) => !isAssignment(graph.outputs[i]))
  settle(graph, outputs)
  count.runs++
  return watched(run, leaves, fresh)
}

/**
 * Records a failed run as the `failure` of the memory that it should have filled: reading this memory,
 * or computing with it, throws the same error. State that the run should have assigned is unchanged.
 */
export function watched(
  run: Promise<void>,
  inputs: readonly DeviceMemory[],
  fresh: readonly DeviceMemory[],
): Promise<void> {
  const fail = (error: Error): never => {
    for (const memory of fresh) memory.failure ??= error
    throw error
  }
  const result = run.then(() => {
    const spoiled = inputs.find((memory) => memory.failure)
    if (spoiled) fail(spoiled.failure as Error)
  }, fail)
  result.catch(() => {}) // awaiting the run or reading an output throws the error
  return result
}

/** Records the place of each output and the new versions of assigned state. */
function settle(graph: Trace, outputs: DeviceMemory[]): void {
  let again = false
  for (const node of graph.nodes) {
    if (node.inputs.length === 0 || isLeaf(node)) continue
    if (node.runs++ > 0) again = true
  }
  if (again) count.recomputations++
  for (const node of graph.assigns) {
    const memory = memoryOf(assignedLeaf(node))
    node.place = { memory, version: ++memory.version }
  }
  graph.outputs.forEach((node, i) => {
    node.place ??= { memory: outputs[i], version: outputs[i].version }
  })
  for (const node of graph.assigns) node.release()
  for (const node of graph.outputs) if (!node.tracked) node.release()
}

function outputMemory(node: Node, device: Device): DeviceMemory {
  if (isAssignment(node)) return memoryOf(assignedLeaf(node))
  return device.allocate(node.dtype, countOf(node.shape), node.scope || node.op)
}

function bindLeaf(leaf: Node, device: Device): DeviceMemory {
  if (!leaf.place) upload(leaf, device)
  const { memory, version } = leaf.place as Place
  if (memory.version !== version) throw stale(leaf)
  return memory as DeviceMemory
}

/** Copies the contents of a leaf to the device. */
function upload(leaf: Node, device: Device): void {
  const memory = device.upload(leaf.data as TypedArray, leaf.dtype, leaf.scope || 'data')
  leaf.place = { memory, version: memory.version }
  leaf.data = null
}

function stale(leaf: Node): StaleTensorError {
  return new StaleTensorError(
    `You read a tensor after ${describe(leaf)}, on which it depends, was changed`,
    {
      remedy:
        'Read the tensor before the change, keep it with step({ keep: [tensor] }), or compute it again.',
    },
  )
}

function deviceOf(graph: Trace): Device {
  let device: Device | null = null
  for (const leaf of graph.leaves) {
    const next = leaf.place ? memoryOf(leaf).device : null
    if (next && device && next !== device)
      throw new HeedError(
        'invalid-option',
        `Tensors in one expression must be on the same device, got ${device.name} and ${next.name}`,
        {
          value: [device.name, next.name],
          expected: 'one device',
          remedy: 'Call setDefaultDevice(device) once, before you create any of them.',
        },
      )
    device ??= next
  }
  return device ?? defaultDevice()
}

/** Errors of runs that have been thrown to the user. */
export const reported = new WeakSet<Error>()

/** Reads the values of a node, and computes them first if necessary. */
export async function read(node: Node): Promise<TypedArray> {
  if (node.data) return node.data.slice()
  if (!node.place) await computed(node)
  const { memory, version } = node.place as unknown as Place
  if (memory.version !== version) throw stale(node)
  try {
    return await (memory as DeviceMemory).device.read(memory as DeviceMemory)
  } catch (error) {
    reported.add(error as Error)
    throw error
  }
}

async function computed(node: Node): Promise<void> {
  const { run } = await submitPatiently([node])
  await run.catch((error) => {
    reported.add(error)
    throw error
  })
}

/** Creates a leaf for memory that the caller has allocated. */
export function leafOn(memory: DeviceMemory, shape: readonly number[], dtype: DType): Node {
  const leaf = new Node('buffer', [], { shape, dtype }, { shape, dtype })
  leaf.place = { memory, version: memory.version }
  return leaf
}
