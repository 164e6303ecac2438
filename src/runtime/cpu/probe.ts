// Measures the peak arithmetic and bandwidth of the processor with a kernel that does nothing else.
import { emitted } from '../../schedule/kernel-call.ts'
import type { Operand } from '../../schedule/schedule.ts'
import { contiguous } from '../../schedule/strided.ts'
import type { BufferHandle } from './addon.ts'
import type { CpuDevice } from './device.ts'
import { encode } from './encode.ts'

export interface Ceilings {
  /** Floating-point operations per second of independent multiply-adds, which count as two. */
  flops: number
  /** Bytes per second read from main memory. */
  read: number
  /** Bytes per second read and written; both count. */
  readWrite: number
}

const LARGE = 128 << 20 // bytes, more than the caches hold
/** Multiply-adds in one iteration of the kernel. */
const STEP = 192

type Kind = 'multiplyAdd' | 'read' | 'readWrite'

/** Measures all three rates on `threads` threads, each for about `ms` milliseconds. */
export async function probe(
  device: CpuDevice,
  threads = device.threads,
  ms = 40,
): Promise<Ceilings> {
  const flops = await probeMultiplyAdds(device, threads, ms)
  const count = LARGE / 4
  const memory = device.upload(new Float32Array(count).fill(1), 'f32', 'the bandwidth probe')
  try {
    const bytes = (kind: Kind): Promise<number> =>
      rate(ms, (times) => run(device, memory.handle, count, threads, kind, times), LARGE)
    return { flops, read: await bytes('read'), readWrite: 2 * (await bytes('readWrite')) }
  } finally {
    device.dispose(memory)
  }
}

/** Measures floating-point operations per second on `threads` threads. */
export async function probeMultiplyAdds(
  device: CpuDevice,
  threads = device.threads,
  ms = 40,
): Promise<number> {
  const memory = device.upload(Float32Array.of(0.999, 0.001), 'f32', 'the multiply-add probe')
  try {
    return await rate(
      ms,
      (times) => run(device, memory.handle, 2, threads, 'multiplyAdd', times * 1024),
      2 * STEP * 1024 * threads,
    )
  } finally {
    device.dispose(memory)
  }
}

/** Work per second. The number of repetitions is doubled until they take at least `ms` milliseconds. */
async function rate(
  ms: number,
  work: (times: number) => Promise<void>,
  amount: number,
): Promise<number> {
  await work(1)
  for (let times = 1; ; times *= 2) {
    const start = performance.now()
    await work(times)
    const took = performance.now() - start
    if (took >= ms || times >= 1 << 19) return (amount * times * 1000) / took
  }
}

async function run(
  device: CpuDevice,
  memory: BufferHandle,
  count: number,
  threads: number,
  kind: Kind,
  times: number,
): Promise<void> {
  const out = device.allocate('f32', threads, 'the probe')
  const operand = (index: number, size: number): Operand => ({
    buffer: { kind: 'leaf', index, dtype: 'f32', count: size, offset: 0 },
    dtype: 'f32',
    ...contiguous([size]),
  })
  const outputs = { memory: operand(0, count), out: operand(1, threads) }
  const attributes = { kind, times }
  const { kernelNumbers, microNumbers } = device
  const call = emitted({ kernel: 'probe', inputs: {}, outputs, attributes })
  const program = device.addon.program(encode([call], 2, kernelNumbers, microNumbers))
  await device.addon.run(program, 0, null, new Float32Array(0), [memory, out.handle])
  device.addon.dispose(program)
  device.dispose(out)
}
