import { describe, expect, test } from 'vitest'
import { addons } from '../support/addons.ts'
import { binary, command, download, matmul, upload } from './words.ts'

const none = new ArrayBuffer(0)

describe.each(addons)('addon: $name', ({ addon }) => {
  describe('set-up', () => {
    test('names its kernels, instructions and instruction sets', () => {
      expect(addon.kernels).toContain('matmul')
      expect(addon.microOps).toContain('add_f32')
      expect(addon.isas.length).toBeGreaterThan(0)
    })

    test('configure keeps what is not given', () => {
      const before = addon.configure()
      expect(addon.configure({ threads: 3 })).toEqual({ ...before, threads: 3 })
      expect(addon.configure({ isa: addon.isas.at(-1) }).isa).toBe(addon.isas.at(-1))
      expect(addon.configure(before)).toEqual(before)
    })

    test('configure refuses what there is not', () => {
      expect(() => addon.configure({ isa: 'abacus' })).toThrow("no instruction set 'abacus'")
      expect(() => addon.configure({ threads: 0 })).toThrow('at least 1')
      expect(() => addon.configure({ threads: 1.5 })).toThrow('whole number')
    })
  })

  describe('buffers', () => {
    test('are zero at first and keep what is written', async () => {
      const handle = addon.allocate(40)
      addon.write(handle, 8, Float32Array.of(1, 2, 3))
      addon.write(handle, 36, new Float32Array([9, 4, 9]).subarray(1, 2))
      expect(await download(addon, handle, 10)).toEqual([0, 0, 1, 2, 3, 0, 0, 0, 0, 4])
    })

    test('take every kind of view', async () => {
      const handle = addon.allocate(8)
      for (const data of [
        new DataView(new ArrayBuffer(8)),
        new BigInt64Array(1),
        Buffer.alloc(8),
        new ArrayBuffer(8),
      ])
        addon.write(handle, 0, data)
      addon.write(handle, 0, new DataView(Uint8Array.of(0, 1, 2, 3, 4).buffer, 1, 3))
      expect([...new Uint8Array(await addon.read(handle, 0, 4))]).toEqual([1, 2, 3, 0])
    })

    test('may be empty', async () => {
      const handle = addon.allocate(0)
      addon.write(handle, 0, none)
      expect((await addon.read(handle, 0, 0)).byteLength).toBe(0)
    })

    test('large ones are zero and writable to the last byte', async () => {
      const bytes = 9 * 2 ** 20 + 12
      const handle = addon.allocate(bytes)
      addon.write(handle, bytes - 4, Float32Array.of(7))
      expect(await addon.read(handle, bytes - 8, 8)).toEqual(Float32Array.of(0, 7).buffer)
      addon.dispose(handle)
    })

    test('refuse access outside', () => {
      const handle = addon.allocate(16)
      expect(() => addon.write(handle, 8, new Float32Array(3))).toThrow('12 bytes at offset 8')
      expect(() => addon.write(handle, -1, none)).toThrow('whole number')
      expect(() => addon.read(handle, 17, 0)).toThrow('0 bytes at offset 17')
      expect(() => addon.read(handle, 0, 2 ** 50)).toThrow(`${2 ** 50} bytes at offset 0`)
      expect(() => addon.read(handle, 0, Number.NaN)).toThrow('whole number')
    })

    test('refuse what is no handle', () => {
      const program = addon.program(new Float64Array(0))
      for (const wrong of [undefined, null, {}, 7, program])
        expect(() => addon.write(wrong as never, 0, none)).toThrow(TypeError)
      expect(() => addon.dispose({} as never)).toThrow(TypeError)
      expect(() => addon.write(addon.allocate(4), 0, 'text' as never)).toThrow(TypeError)
    })

    test('are gone once disposed of', () => {
      const before = addon.memory()
      const handle = addon.allocate(1000)
      expect(addon.memory().live - before.live).toBe(1000)
      expect(addon.memory().buffers - before.buffers).toBe(1)
      addon.dispose(handle)
      addon.dispose(handle)
      expect(addon.memory().live).toBe(before.live)
      expect(() => addon.read(handle, 0, 4)).toThrow('disposed of')
    })

    test('stay within the budget', () => {
      const { live, arena, budget } = addon.memory()
      addon.setBudget(live + arena + 1000)
      const handle = addon.allocate(900)
      expect(() => addon.allocate(101)).toThrow(
        expect.objectContaining({ code: 'ERR_HEED_MEMORY' }),
      )
      addon.dispose(handle)
      addon.dispose(addon.allocate(1000))
      addon.setBudget(budget)
      expect(() => addon.allocate(2 ** 49)).toThrow(
        expect.objectContaining({ code: 'ERR_HEED_MEMORY' }),
      )
    })

    test('the peak is remembered until it is reset', () => {
      addon.dispose(addon.allocate(5000))
      const { live, arena } = addon.memory()
      expect(addon.memory().peak).toBeGreaterThanOrEqual(live + arena + 5000)
      addon.resetPeak()
      expect(addon.memory().peak).toBe(live + arena)
    })
  })

  describe('runs', () => {
    test('a program with arena, scalars and buffers', async () => {
      // arena = a + b; out = arena * scalars
      const program = addon.program(
        Float64Array.from([
          ...binary(addon, 'add_f32', 3, [2, 3, 0]),
          ...binary(addon, 'mul_f32', 3, [0, 1, 4]),
        ]),
      )
      const [a, b, out] = [
        upload(addon, [1, 2, 3]),
        upload(addon, [10, 20, 30]),
        addon.allocate(12),
      ]
      await addon.run(program, 12, null, Float32Array.of(2, 3, 4), [a, b, out])
      expect(await download(addon, out, 3)).toEqual([22, 66, 132])
      const arena = addon.allocate(64)
      await addon.run(program, 12, arena, Float32Array.of(1, 1, 1), [a, b, out])
      expect(await download(addon, arena, 3)).toEqual([11, 22, 33])
    })

    test('on every instruction set and number of threads, with the same result', async () => {
      const before = addon.configure()
      const n = 96
      const program = addon.program(Float64Array.from(matmul(addon, n, [2, 3, 4])))
      const values = Array.from({ length: n * n }, (_, i) => Math.sin(i))
      const [a, b, out] = [upload(addon, values), upload(addon, values), addon.allocate(n * n * 4)]
      for (const isa of addon.isas) {
        const results: number[][] = []
        for (const threads of [1, 2, 3]) {
          addon.configure({ isa, threads })
          await addon.run(program, 0, null, none, [a, b, out])
          results.push(await download(addon, out, n * n))
        }
        expect(results[1]).toEqual(results[0])
        expect(results[2]).toEqual(results[0])
        const [expected] = [
          values.slice(0, n).reduce((sum, v, k) => sum + v * values[k * n + 1], 0),
        ]
        expect(results[0][1]).toBeCloseTo(expected, 4)
      }
      addon.configure(before)
    })

    test('in the order of submission, writes and reads included', async () => {
      const program = addon.program(Float64Array.from(binary(addon, 'add_f32', 4, [2, 3, 2])))
      const [sum, one] = [upload(addon, [0, 0, 0, 0]), upload(addon, [1, 1, 1, 1])]
      const run = () => addon.run(program, 0, null, none, [sum, one])
      const data = Float32Array.of(100, 100, 100, 100)
      const pending: Promise<number[]>[] = []
      run()
      pending.push(download(addon, sum, 4))
      run()
      addon.write(sum, 0, data)
      data.fill(-1) // too late to be seen
      pending.push(download(addon, sum, 4))
      addon.write(one, 0, Float32Array.of(5))
      run()
      pending.push(download(addon, sum, 4))
      expect(await Promise.all(pending)).toEqual([
        [1, 1, 1, 1],
        [100, 100, 100, 100],
        [105, 101, 101, 101],
      ])
    })

    test('resolve in a macrotask', async () => {
      const order: string[] = []
      const reading = addon.read(addon.allocate(4), 0, 4).then(() => order.push('read'))
      for (let i = 0; i < 100; i++) await null
      order.push('microtasks')
      await reading
      expect(order).toEqual(['microtasks', 'read'])
    })

    test('keep alive what was disposed of meanwhile', async () => {
      const before = addon.memory().live
      const program = addon.program(Float64Array.from(matmul(addon, 256, [2, 3, 4])))
      const [a, b, out] = [1, 2, 3].map(() => addon.allocate(256 * 256 * 4))
      const runs = Array.from({ length: 10 }, () => addon.run(program, 0, null, none, [a, b, out]))
      for (const handle of [program, a, b, out]) addon.dispose(handle)
      await Promise.all(runs)
      expect(addon.memory().live).toBeLessThanOrEqual(before) // less: older handles may have been collected
    })

    test('reject with the message of the kernel, and the next run works', async () => {
      const take = command(
        addon,
        'take',
        [
          { buffer: 2, shape: [65, 2] },
          { buffer: 3, shape: [1], dtype: 'i32' },
          { buffer: 4, shape: [1, 2] },
        ],
        [0],
      )
      const words = [...binary(addon, 'add_f32', 2, [2, 2, 4]), ...take]
      const program = addon.program(Float64Array.from(words))
      const [x, index, out] = [
        upload(addon, new Array(130).fill(3)),
        addon.allocate(4),
        addon.allocate(8),
      ]
      addon.write(index, 0, Int32Array.of(70))
      await expect(addon.run(program, 0, null, none, [x, index, out])).rejects.toMatchObject({
        code: 'ERR_HEED_RUN',
        message: 'take: index 70 is out of range for axis 0, which has size 65',
        command: 1,
      })
      addon.write(index, 0, Int32Array.of(64))
      await addon.run(program, 0, null, none, [x, index, out])
      expect(await download(addon, out, 2)).toEqual([3, 3])
    })

    test('reject when the arena is beyond the budget', async () => {
      const { live, budget } = addon.memory()
      const program = addon.program(Float64Array.from(binary(addon, 'add_f32', 1, [0, 0, 0])))
      addon.setBudget(live + 2 ** 20)
      const run = addon.run(program, 2 ** 40, null, none, [])
      await expect(run).rejects.toMatchObject({ code: 'ERR_HEED_MEMORY' })
      addon.setBudget(budget)
      await addon.run(program, 4, null, none, [])
    })

    test('refuse buffers that the program would overrun', () => {
      const program = addon.program(Float64Array.from(binary(addon, 'add_f32', 4, [0, 1, 2])))
      const [small, large] = [addon.allocate(12), addon.allocate(16)]
      const scalars = new Float32Array(4)
      expect(() => addon.run(program, 12, null, scalars, [large])).toThrow('the arena has 12 bytes')
      expect(() => addon.run(program, 16, null, none, [large])).toThrow('the scalars has 0 bytes')
      expect(() => addon.run(program, 16, null, scalars, [small])).toThrow('buffer 0 has 12 bytes')
      expect(() => addon.run(program, 16, null, scalars, [])).toThrow('buffer 0 is missing')
      expect(() => addon.run(program, 16, small, scalars, [large])).toThrow(
        'smaller than arenaBytes',
      )
      expect(() => addon.run(large as never, 0, null, none, [])).toThrow(TypeError)
      expect(() => addon.run(program, 16, null, scalars, 'x' as never)).toThrow(TypeError)
      expect(() => addon.run(program, 16, null, scalars, [program as never])).toThrow(TypeError)
    })

    test('record the time of each command when asked to', async () => {
      const words = [...binary(addon, 'add_f32', 2, [2, 2, 2]), ...matmul(addon, 2, [2, 2, 3])]
      const program = addon.program(Float64Array.from(words))
      const [a, b] = [addon.allocate(16), addon.allocate(16)]
      addon.profile(true)
      await addon.run(program, 0, null, none, [a, b])
      addon.profile(false)
      await addon.run(program, 0, null, none, [a, b])
      const { kernel, micros, command } = addon.takeProfile()
      expect(kernel.map((k) => addon.kernels[k])).toEqual(['elementwise', 'matmul'])
      expect(command).toEqual([0, 1])
      expect(micros.every((time) => time >= 0)).toBe(true)
      expect(addon.takeProfile().kernel).toEqual([])
    })
  })
})
