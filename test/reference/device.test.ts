import { describe, expect, it } from 'vitest'
import * as g from '../../src/graph/build.ts'
import type { TypedArray } from '../../src/graph/dtype.ts'
import type { HostFunction, Node } from '../../src/graph/node.ts'
import { countOf } from '../../src/graph/shape.ts'
import type { DeviceMemory, Executable } from '../../src/runtime/device.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { isLeaf, trace } from '../../src/runtime/trace.ts'
import { lower } from '../../src/schedule/lower.ts'
import { OutOfMemoryError } from '../../src/util/errors.ts'
import { array, evaluate, noise } from '../support/evaluate.ts'
import { heedError } from '../support/heed-error.ts'

const none = {}

/** A program, and the memories of its leaves and outputs. */
interface Bound {
  executable: Executable
  leaves: DeviceMemory[]
  outputs: DeviceMemory[]
  run: (scalars?: number[]) => Promise<void>
}

function bind(device: ReferenceDevice, outputs: Node[], hosts: HostFunction[] = []): Bound {
  const graph = trace(outputs)
  const executable = device.compile(lower(graph.nodes, outputs, isLeaf, device.composites))
  const leaves = graph.leaves.map((leaf) =>
    device.upload(leaf.data as TypedArray, leaf.dtype, 'leaf'),
  )
  const places = outputs.map((node) => device.allocate(node.dtype, countOf(node.shape), 'output'))
  const numbers = graph.scalars.map((node) => node.value)
  const run = (scalars = numbers): Promise<void> =>
    executable.run({ leaves, scalars, outputs: places, hosts })
  return { executable, leaves, outputs: places, run }
}

const readAll = async (device: ReferenceDevice, memories: DeviceMemory[]): Promise<number[][]> =>
  (await Promise.all(memories.map((m) => device.read(m)))).map((data) => [...data])

describe('memory', () => {
  it('is zeroed, and copied on the way in and out', async () => {
    const device = new ReferenceDevice()
    expect([...(await device.read(device.allocate('i32', 3, 'x')))]).toEqual([0, 0, 0])
    const mine = Float32Array.of(1, 2)
    const memory = device.upload(mine, 'f32', 'x')
    mine[0] = 9
    const copy = await device.read(memory)
    copy[1] = 9
    expect([...(await device.read(memory))]).toEqual([1, 2])
    device.write(memory, mine)
    mine[0] = 7
    expect([...(await device.read(memory))]).toEqual([9, 2])
  })

  it('holds doubles when asked to', async () => {
    const third = Float64Array.of(1 / 3)
    const double = new ReferenceDevice({ precision: 'float64' })
    expect(await double.read(double.upload(third, 'f32', 'x'))).toEqual(third)
    const single = new ReferenceDevice()
    const rounded = await single.read(single.upload(third, 'f32', 'x'))
    expect(rounded).toEqual(Float32Array.from(third))
  })

  it('is counted, and refused beyond the budget with the largest owners by name', () => {
    const device = new ReferenceDevice({ budget: 10_000 })
    const weights = device.allocate('f32', 1500, 'wte.weight')
    device.allocate('u8', 1000, 'tokens')
    expect(device.memory()).toEqual({ live: 7000, peak: 7000, arena: 0, budget: 10_000 })
    const more = (): DeviceMemory => device.allocate('f32', 1000, 'h.0.mlp')
    expect(more).toThrow(OutOfMemoryError)
    expect(more).toThrow(
      heedError('out-of-memory', {
        mentions:
          /4\.00 kB .* h\.0\.mlp .* 7\.00 kB .* 10\.0 kB .* wte\.weight \(6\.00 kB\), tokens \(1\.00 kB\)$/,
        remedy: 'HEED_MEMORY',
      }),
    )
    expect(weights.count).toBe(1500)
  })
})

describe('a program', () => {
  it('runs at once when there is no host code, again and again', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const { run, outputs, executable } = bind(device, [g.mul(x, g.scalar(10)), g.exp(g.scalar(0))])
    const first = run()
    expect(await readAll(device, outputs)).toEqual([[10, 20], [1]])
    await first
    await run([5, 0])
    expect(await readAll(device, outputs)).toEqual([[5, 10], [1]])
    expect(executable.kernels).toBeGreaterThan(0)
  })

  it('may have a leaf as its output, and one value as two outputs', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const { run, outputs, leaves } = bind(device, [g.alias(x), g.exp(x), g.exp(x)])
    await run()
    device.write(leaves[0], Float32Array.of(0, 0))
    const e = [Math.fround(Math.E), Math.fround(Math.E ** 2)]
    expect(await readAll(device, outputs)).toEqual([[1, 2], e, e])
  })

  it('that fails rejects with the path of the module, and changes nothing', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const next = g.make('assign', [x, g.shift(x, 1)], none)
    const bad = g.take(x, array([2], [1], 'i32'), 0)
    Object.assign(bad, { scope: 'wte' })
    const { run, leaves } = bind(device, [next, bad])
    await expect(run()).rejects.toThrow(
      heedError('invalid-data', { mentions: /^wte: take: .*index 2 .*axis 0.*size 2/ }),
    )
    expect((await readAll(device, leaves))[0]).toEqual([1, 2])
  })
})

describe('assignments', () => {
  it('are seen by those who read the new version, and by nobody else', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const first = g.make('assign', [x, g.shift(x, 10)], none)
    const second = g.make('assignAt', [first, g.filled(0, [1]), array([1], [], 'i32')], { axis: 0 })
    const old = g.scale(x, 2) // made after the assignments, and yet from before them
    const { run, outputs, leaves } = bind(device, [
      second,
      old,
      g.scale(first, 2),
      g.scale(second, 2),
    ])
    await run()
    expect((await readAll(device, outputs)).slice(1)).toEqual([
      [2, 4],
      [22, 24],
      [22, 0],
    ])
    expect((await readAll(device, leaves))[0]).toEqual([11, 0])
    await run()
    expect((await readAll(device, leaves))[0]).toEqual([21, 0])
  })

  it('may swap two memories', async () => {
    const device = new ReferenceDevice()
    const [x, y] = [array([1], [1]), array([2], [1])]
    const swap = [g.make('assign', [x, y], none), g.make('assign', [y, g.alias(x)], none)]
    const { run, leaves } = bind(device, swap)
    for (const expected of [
      [[2], [1]],
      [[1], [2]],
    ]) {
      await run()
      expect(await readAll(device, leaves)).toEqual(expected)
    }
  })

  it('at a run-time offset check it', async () => {
    const build = (op: 'assignAt' | 'updateAt', offset: number): Node =>
      g.make(op, [noise([2, 3]), noise([2, 2]), array([offset], [], 'i32')], { axis: 1 })
    for (const op of ['assignAt', 'updateAt'] as const) {
      await expect(evaluate([build(op, 2)])).rejects.toThrow(
        heedError('invalid-data', { mentions: ['[2, 4)', 'axis 1', 'size 3'] }),
      )
      await expect(evaluate([build(op, -1)])).rejects.toThrow(
        heedError('invalid-data', { mentions: '[-1, 1)' }),
      )
    }
    const slice = g.make('sliceAt', [noise([3]), array([70], [], 'i32')], { axis: 0, size: 1 })
    await expect(evaluate([slice])).rejects.toThrow(
      heedError('invalid-data', { mentions: ['[70, 71)', 'axis 0'] }),
    )
  })

  it.each(['scatterAdd', 'scatterSet'] as const)('by %s check their index', async (op) => {
    const node = g.scatter(op, noise([3]), array([0, -1], [2], 'i32'), noise([2]), 0)
    await expect(evaluate([node])).rejects.toThrow(
      heedError('invalid-data', { mentions: [op, 'index -1', 'axis 0', 'size 3'] }),
    )
  })
})

describe('host code', () => {
  const call = (...inputs: Node[]): Node => g.make('hostCall', inputs, { shape: [2], dtype: 'f32' })

  it('gets copies, may take its time, and is waited for by all that comes later', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const state = g.make('assign', [x, g.shift(call(x), 1)], none)
    const host: HostFunction = async ([values]) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      const doubled = values.map((v) => 2 * v)
      values.fill(Number.NaN)
      return doubled
    }
    const slow = bind(device, [state], [host])
    const runs = [slow.run(), slow.run()]
    device.write(slow.leaves[0], Float32Array.of(100, 200))
    const written = device.read(slow.leaves[0])
    const again = slow.run()
    expect([...(await written)]).toEqual([100, 200])
    await Promise.all([...runs, again])
    expect(await readAll(device, slow.leaves)).toEqual([[201, 401]])
  })

  it('comes in the order of the graph', async () => {
    const seen: number[] = []
    const device = new ReferenceDevice()
    const first = call(array([1, 1], [2]))
    const host: HostFunction = ([x]) => {
      seen.push(x[0])
      return x.map((v) => v + 1)
    }
    await bind(device, [call(call(first))], [host, host, host]).run()
    expect(seen).toEqual([1, 2, 3])
  })

  it('that throws or returns the wrong number of values fails the run, not the device', async () => {
    const device = new ReferenceDevice()
    const x = array([1, 2], [2])
    const fails = (host: HostFunction): Promise<void> => bind(device, [call(x)], [host]).run()
    await expect(fails(() => Float32Array.of(1))).rejects.toThrow(
      heedError('shape', { value: 1, expected: '2 values', mentions: 'hostCall' }),
    )
    const thrown = fails(() => {
      throw new Error('no luck')
    })
    const fine = bind(device, [call(x)], [([values]) => values])
    const run = fine.run()
    await expect(thrown).rejects.toThrow('no luck')
    await run
    expect(await readAll(device, fine.outputs)).toEqual([[1, 2]])
  })
})

// Array buffers go some time after their collection: what counts is that they can.
it('frees what was read for the last time, while the run goes on', { retry: 8 }, async () => {
  const collect = (globalThis as { gc?: () => void }).gc as () => void
  const device = new ReferenceDevice()
  const held: number[] = []
  const host: HostFunction = ([values]) => {
    collect()
    held.push(process.memoryUsage().arrayBuffers)
    return values
  }
  const probe = (input: Node): Node => g.make('hostCall', [input], { shape: [], dtype: 'f32' })
  let x = g.add(noise([1000, 100]), probe(g.scalar(1)))
  for (let i = 0; i < 60; i++) x = g.add(x, g.scalar(1))
  await bind(device, [probe(g.sum(x, [0, 1]))], [host, host]).run()
  expect(held[1] - held[0]).toBeLessThan(12e6) // all 60 would take 24 MB
})
