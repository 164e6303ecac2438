// Threads of the wasm device neither keep a process alive nor let it hang.
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { WasmAddon } from '../../src/runtime/wasm/addon.ts'
import { load } from '../../src/runtime/wasm/load.ts'
import { matmul } from '../native/words.ts'
import { loader } from '../support/run-script.ts'

const source = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url))
const kinds = [
  ['threads', true],
  ['this thread', false],
] as const

/** `start(n, count)` squares an n x n matrix `count` times, on two threads. */
const prelude = (threaded: boolean): string => `
  import { WasmAddon } from ${source('src/runtime/wasm/addon.ts')}
  import { load } from ${source('src/runtime/wasm/load.ts')}
  import { matmul } from ${source('test/native/words.ts')}
  const addon = new WasmAddon(load('simd128', ${threaded}), 'simd128')
  addon.configure({ threads: 2 })
  const start = (n, count) => {
    const words = Array(count).fill(matmul(addon, n, [2, 2, 3])).flat()
    const buffers = [addon.allocate(n * n * 4), addon.allocate(n * n * 4)]
    return addon.run(addon.program(Float64Array.from(words)), 0, null, new ArrayBuffer(0), buffers)
  }
`

describe.each(kinds)('on %s', (_, threaded) => {
  it('a process ends by itself once nothing is pending', async () => {
    const { code, output } = await node(`${prelude(threaded)}
      start(64, 10).then(() => console.log('done'))`)
    expect(output).toBe('done\n')
    expect(code).toBe(0)
  })

  it('a process that awaits nothing ends at once', async () => {
    expect((await node(`${prelude(threaded)} addon.allocate(1e6)`)).code).toBe(0)
  })

  it('process.exit during a run neither crashes nor waits', async () => {
    const started = performance.now()
    const { code } = await node(`${prelude(threaded)}
      start(256, 20000)
      setTimeout(() => process.exit(7), 50)`)
    expect(code).toBe(7)
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it('timers stay prompt during a run', async () => {
    const addon = new WasmAddon(load('simd128', threaded), 'simd128')
    const n = 256
    const words = Array(60)
      .fill(matmul(addon, n, [2, 2, 3]))
      .flat()
    const buffers = [addon.allocate(n * n * 4), addon.allocate(n * n * 4)]
    const program = addon.program(Float64Array.from(words))
    let running = true
    const run = addon.run(program, 0, null, new ArrayBuffer(0), buffers).then(() => {
      running = false
    })
    let ticks = 0
    while (running) {
      await sleep(1)
      ticks++
    }
    await run
    expect(ticks).toBeGreaterThan(5)
  })
})

it('a worker may be terminated while its threads compute', async () => {
  const { code, output } = await node(`
    import { Worker } from 'node:worker_threads'
    const script = ${JSON.stringify(`${prelude(true)}
      start(256, 20000)
      const { parentPort } = await import('node:worker_threads')
      parentPort.postMessage('started')`)}
    const url = new URL('data:text/javascript,' + encodeURIComponent(script))
    for (let i = 0; i < 2; i++) {
      const worker = new Worker(url)
      await new Promise((resolve) => worker.once('message', resolve))
      await worker.terminate()
    }
    console.log('ended')`)
  expect(output).toBe('ended\n')
  expect(code).toBe(0)
})

it('a thread that breaks down fails its runs with the reason, and all later ones', async () => {
  const addon = new WasmAddon(load('simd128', true), 'simd128')
  const program = addon.program(Float64Array.from(matmul(addon, 8, [2, 2, 3])))
  const buffers = [addon.allocate(256), addon.allocate(256)]
  const run = () => addon.run(program, 0, null, new ArrayBuffer(0), buffers)
  await run()
  corrupt(addon)
  const broken = { code: 'ERR_HEED_RUN', message: expect.stringContaining('crashed') }
  await expect(run()).rejects.toMatchObject(broken)
  expect(run).toThrow('crashed')
})

/** Every later job names buffers beyond the memory. */
function corrupt(addon: WasmAddon): void {
  const inner = addon as unknown as { layOut: (...args: unknown[]) => number }
  const layOut = inner.layOut.bind(addon)
  inner.layOut = (head, arena, scalars, used) =>
    layOut(
      head,
      arena,
      scalars,
      (used as { at: number }[]).map((resource) => ({ ...resource, at: 2 ** 32 - 64 })),
    )
}

function node(script: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...loader, '--input-type=module', '-e', script],
      { timeout: 50_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    )
  })
}
