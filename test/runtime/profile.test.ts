import { describe, expect, it } from 'vitest'
import {
  chromeTrace,
  F,
  type KernelTime,
  profile,
  randn,
  realize,
  synchronize,
  type Tensor,
  tensor,
} from '../../src/index.ts'
import { Linear, Module } from '../../src/nn/index.ts'
import { ReferenceDevice } from '../../src/runtime/reference/device.ts'
import { cpuDevices, onEach } from '../support/devices.ts'
import { heedError } from '../support/heed-error.ts'

const named = (times: KernelTime[], kernel: string): KernelTime[] =>
  times.filter((time) => time.kernel === kernel)

async function ready(...tensors: Tensor[]): Promise<void> {
  await realize(tensors)
  await synchronize()
}

class Two extends Module {
  up = new Linear(8, 16)
  down = new Linear(16, 8)

  forward(x: Tensor): Tensor {
    return this.down.forward(this.up.forward(x))
  }
}

onEach(cpuDevices, (device) => {
  describe('profile', () => {
    it('names kernels in order, with their module and run', async () => {
      const model = new Two()
      const x = randn([4, 8])
      await ready(x, ...model.parameters())
      const times = await profile(async () => {
        await model.forward(x).data()
        await x.exp().data()
      })
      const products = named(times, 'matmul')
      expect(products.map(({ scope }) => scope)).toEqual(['up', 'down'])
      expect(products.map(({ run }) => run)).toEqual([0, 0])
      expect(times.at(-1)).toMatchObject({ run: 1, kernel: 'elementwise', scope: '' })
      expect(times.every(({ micros }) => micros >= 0)).toBe(true)
    })

    it('counts the work of products and of memory', async () => {
      const [a, b] = [randn([3, 5, 7]), randn([3, 7, 2])]
      const row = randn([1, 1000])
      await ready(a, b, row)
      const times = await profile(async () => {
        await a.matmul(b).data()
        await row.add(randn([50, 1000]).mul(0)).data()
      })
      expect(named(times, 'matmul')[0].cost).toEqual({
        flops: 2 * 3 * 5 * 7 * 2,
        read: 4 * 3 * (5 * 7 + 7 * 2),
        written: 4 * 3 * 5 * 2,
      })
      const { cost } = named(times, 'elementwise').at(-1) as KernelTime
      expect(cost?.written).toBe(4 * 50 * 1000)
      expect(cost?.read).toBeLessThan(4 * 1000 + 200) // the row once, not fifty times
    })

    it('counts the pairs that causal attention looks at', async () => {
      const [B, H, T, D] = [2, 3, 5, 8]
      const [q, k, v] = [0, 1, 2].map(() => randn([B, H, T, D]))
      await ready(q, k, v)
      const flops = async (causal: boolean): Promise<number | undefined> => {
        const times = await profile(() => F.scaledDotProductAttention(q, k, v, { causal }).data())
        return named(times, 'attention')[0].cost?.flops
      }
      expect(await flops(false)).toBe(4 * B * H * T * T * D)
      expect(await flops(true)).toBe((4 * B * H * D * T * (T + 1)) / 2)
    })

    it('counts the rows that are looked up, not the table', async () => {
      const table = randn([1000, 16])
      const ids = tensor([3, 1, 4], { dtype: 'i32' })
      await ready(table, ids)
      const times = await profile(() => table.indexSelect(0, ids).data())
      expect(named(times, 'take')[0].cost).toEqual({
        flops: 0,
        read: 4 * (3 + 3 * 16),
        written: 4 * 3 * 16,
      })
    })

    it('refuses a second profile at the same time, and ends with its work', async () => {
      const failing = profile(async () => {
        await expect(profile(async () => {})).rejects.toThrow(
          heedError('invalid-state', { mentions: 'profile' }),
        )
        throw new Error('mine')
      })
      await expect(failing).rejects.toThrow('mine')
      expect(await profile(async () => {})).toEqual([])
      expect(device().profile).toBeDefined()
    })
  })
})

it('says which device has no profile', async () => {
  await expect(profile(async () => {}, new ReferenceDevice())).rejects.toThrow(
    heedError('unsupported', { key: 'device', value: 'reference' }),
  )
})

describe('chromeTrace', () => {
  const cost = { flops: 8, read: 4, written: 4 }
  const times: KernelTime[] = [
    { run: 0, kernel: 'matmul', scope: 'h.0', micros: 10, cost },
    { run: 0, kernel: 'softmax', scope: 'h.0', micros: 5, cost: null },
    { run: 0, kernel: 'adamw', scope: '', micros: 1, cost },
    { run: 1, kernel: 'matmul', scope: '', micros: 2, cost },
  ]
  const { traceEvents } = chromeTrace(times)
  const track = (tid: number): unknown[] =>
    traceEvents.filter((e) => e.tid === tid && e.ph === 'X').map((e) => [e.name, e.ts, e.dur])

  it('puts kernels one behind the other', () => {
    expect(track(2)).toEqual([
      ['matmul', 0, 10],
      ['softmax', 10, 5],
      ['adamw', 15, 1],
      ['matmul', 16, 2],
    ])
  })

  it('has one span for a module, and one for a program', () => {
    expect(track(1)).toEqual([
      ['h.0', 0, 15],
      ['(no module)', 15, 1],
      ['(no module)', 16, 2],
    ])
    expect(track(0)).toEqual([
      ['program 0', 0, 16],
      ['program 1', 16, 2],
    ])
  })

  it('names its tracks and says what each kernel did', () => {
    const tracks = traceEvents.filter((e) => e.ph === 'M').map((e) => e.args.name)
    expect(tracks).toEqual(['programs', 'modules', 'kernels'])
    const kernel = traceEvents.find((e) => e.tid === 2 && e.ph === 'X')
    expect(kernel?.args).toEqual({ module: 'h.0', ...cost })
  })
})
