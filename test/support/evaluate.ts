// Runs graphs straight on a device, without tensors: what tests of the graph itself are written in.
import * as g from '../../src/graph/build.ts'
import type { DType, TypedArray } from '../../src/graph/dtype.ts'
import type { HostFunction, Node } from '../../src/graph/node.ts'
import { countOf, type Shape } from '../../src/graph/shape.ts'
import type { Device, DeviceMemory } from '../../src/runtime/device.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { assignedLeaf, isLeaf, trace } from '../../src/runtime/trace.ts'
import { lower } from '../../src/schedule/lower.ts'
import { randomUniform } from '../../src/util/random.ts'

const exact = new ReferenceDevice({ precision: 'float64' })

/** The values of these nodes; leaves are the nodes that have `data`. */
export function evaluate(outputs: readonly Node[], device: Device = exact): Promise<TypedArray[]> {
  return prepare(outputs, device)()
}

/** The one value, as plain numbers. */
export async function numbers(node: Node, device?: Device): Promise<number[]> {
  return [...(await evaluate([node], device))[0]]
}

/** Compiled once; each call may give some leaves other contents. */
export function prepare(
  outputs: readonly Node[],
  device: Device = exact,
): (contents?: ReadonlyMap<Node, TypedArray>) => Promise<TypedArray[]> {
  const graph = trace(outputs)
  const executable = device.compile(lower(graph.nodes, outputs, isLeaf, device.composites))
  return async (contents) => {
    const leaves = graph.leaves.map((leaf) =>
      device.upload(contents?.get(leaf) ?? (leaf.data as TypedArray), leaf.dtype, 'leaf'),
    )
    const place = (node: Node): DeviceMemory =>
      node.op === 'assign' || node.op === 'assignAt'
        ? leaves[graph.leaves.indexOf(assignedLeaf(node))]
        : device.allocate(node.dtype, countOf(node.shape), 'output')
    const memories = outputs.map(place)
    await executable.run({
      leaves,
      scalars: graph.scalars.map((node) => node.value),
      outputs: memories,
      hosts: graph.hosts.map((node) => node.host as HostFunction),
    })
    return Promise.all(memories.map((memory) => device.read(memory)))
  }
}

/** A leaf with these numbers; f32 keeps them as doubles. */
export function array(values: readonly number[], shape: Shape, dtype: DType = 'f32'): Node {
  const data = {
    f32: Float64Array,
    i32: Int32Array,
    u32: Uint32Array,
    u8: Uint8Array,
    bool: Uint8Array,
  }[dtype].from(values)
  return g.leaf(data, shape, dtype)
}

let draws = 0

/** A leaf of random numbers that wants a gradient. */
export function variable(shape: Shape, low = -2, high = 2): Node {
  const leaf = noise(shape, low, high)
  leaf.tracked = true
  return leaf
}

/** A leaf of random numbers. */
export function noise(shape: Shape, low = -2, high = 2): Node {
  const draw = draws++
  const data = Float64Array.from(
    { length: countOf(shape) },
    (_, i) => low + (high - low) * randomUniform(7, draw, i),
  )
  return g.leaf(data, shape, 'f32')
}
