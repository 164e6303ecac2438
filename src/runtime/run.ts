// Takes the tensors that are wanted, finds or compiles their program, and hands it to the device.
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

/** Where a value lies on a device. */
export const memoryOf = (node: Node): DeviceMemory => (node.place as Place).memory as DeviceMemory

/**
 * Queues one program that computes all of these, and returns at once; what is returned settles when
 * the program has run. State that nobody has computed yet is computed first, on its own, so that
 * the first step of a loop is the same program as the others.
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
 * `submit`, but when memory is short it lets the garbage collector's finalisers run and tries again. Resolves when the
 * program is queued; until then the graph is needed. `run` settles when the program has run.
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

/** Binds a graph's own leaves, numbers and outputs to its program and runs it. */
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
 * A failed run leaves nothing sensible in the memory that it was to fill: whoever reads that, or
 * computes from it, gets the same error. State that it was to assign stays as it was.
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
  result.catch(() => {}) // whoever awaits the run or reads an output learns of it
  return result
}

/** Records where each output lies, and that assigned state has a new version. */
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

/** Puts a leaf's contents on the device. */
function upload(leaf: Node, device: Device): void {
  const memory = device.upload(leaf.data as TypedArray, leaf.dtype, leaf.scope || 'data')
  leaf.place = { memory, version: memory.version }
  leaf.data = null
}

function stale(leaf: Node): StaleTensorError {
  return new StaleTensorError(
    `You read a tensor after ${describe(leaf)}, on which it depends, had changed`,
    {
      remedy:
        'Read it before the change, keep it with step({ keep: [tensor] }), or compute it again.',
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
        `Tensors that are computed together must be on one device, got ${device.name} and ${next.name}`,
        {
          value: [device.name, next.name],
          expected: 'one device',
          remedy:
            'Make all of them while the same device is the default: setDefaultDevice(device).',
        },
      )
    device ??= next
  }
  return device ?? defaultDevice()
}

/** Failures of runs that somebody has been told of. */
export const reported = new WeakSet<Error>()

/** The values of a node, computed if need be. */
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

/** For callers that make memory of their own: an uninitialised leaf on a device. */
export function leafOn(memory: DeviceMemory, shape: readonly number[], dtype: DType): Node {
  const leaf = new Node('buffer', [], { shape, dtype }, { shape, dtype })
  leaf.place = { memory, version: memory.version }
  return leaf
}
