import { execFile } from 'node:child_process'
import { setImmediate as macrotask, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import type { Addon } from '../../src/runtime/cpu/addon.ts'
import { freshNative } from '../support/native.ts'
import { matmul } from './words.ts'

const native = await freshNative()
const addon = native.addon as Addon
const path = native.addon ? native.path : ''
const none = new ArrayBuffer(0)

// In plain JavaScript, for workers and other processes: `program` squares the n x n matrix in buffer 0
// into buffer 1, `count` times.
const prelude = `
  const addon = require(${JSON.stringify(path)})
  const start = (n, count) => {
    const view = (buffer) => [buffer, 0, 0, 2, n, n, n, 1]
    const command = [addon.kernels.indexOf('matmul'), 3, 1, ...view(2), ...view(2), ...view(3), 0]
    const program = addon.program(Float64Array.from(Array(count).fill(command).flat()))
    const buffers = [addon.allocate(n * n * 4), addon.allocate(n * n * 4)]
    addon.write(buffers[0], 0, new Float32Array(n * n).map((_, i) => i % n === Math.floor(i / n) ? 2 : 0))
    return { buffers, done: addon.run(program, 0, null, new ArrayBuffer(0), buffers) }
  }
`

describe.skipIf(!native.addon)('life of the addon', () => {
  test('dropped handles give their memory back', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const before = addon.memory()
    for (let i = 0; i < 50; i++) addon.allocate(1 << 20)
    for (let i = 0; i < 50; i++) addon.program(Float64Array.from(matmul(addon, 8, [2, 3, 4])))
    expect(addon.memory().live).toBeGreaterThan(before.live + (50 << 20))
    for (let i = 0; i < 10 && addon.memory().live > before.live; i++) {
      await macrotask()
      collect()
    }
    expect(addon.memory().buffers).toBe(before.buffers)
    expect(addon.memory().live).toBe(before.live)
  })

  test('the garbage collector hears of the memory: loops that drop buffers stay small', async () => {
    const before = addon.memory().live
    addon.resetPeak()
    for (let i = 0; i < 300; i++) {
      addon.allocate(12 << 20)
      await macrotask()
    }
    expect(addon.memory().peak - before).toBeLessThan(1 << 30)
  })

  test('two workers run at once', async () => {
    const script = `${prelude}
      const { parentPort } = require('node:worker_threads')
      const { buffers, done } = start(64, 50)
      done.then(() => addon.read(buffers[1], 0, 8)).then((bytes) => parentPort.postMessage(new Float32Array(bytes)))`
    const workers = [0, 1].map(() => new Worker(script, { eval: true }))
    const exits = workers.map(exit)
    const results = await Promise.all(workers.map(message))
    expect(results).toEqual([Float32Array.of(4, 0), Float32Array.of(4, 0)])
    expect(await Promise.all(exits)).toEqual([0, 0])
  })

  test('a worker may be terminated during a run, with others waiting', async () => {
    const before = addon.memory().live
    for (let i = 0; i < 5; i++) {
      const script = `${prelude}
        for (let i = 0; i < 3; i++) start(256, 5000)
        require('node:worker_threads').parentPort.postMessage('started')`
      const worker = new Worker(script, { eval: true })
      await message(worker)
      await sleep(i)
      await worker.terminate()
    }
    await runOnce()
    expect(addon.memory().live).toBeLessThanOrEqual(before)
  })

  test('a process ends by itself once nothing is pending', async () => {
    const { code, output } = await node(`${prelude}
      start(64, 10).done.then(() => console.log('done'))`)
    expect(output).toBe('done\n')
    expect(code).toBe(0)
  })

  test('a process that awaits nothing ends at once', async () => {
    expect((await node(`${prelude} addon.allocate(1e6)`)).code).toBe(0)
  })

  test('process.exit during a run neither crashes nor waits', async () => {
    const { code, output } = await node(`${prelude}
      start(512, 100000)
      setTimeout(() => {
        require('node:fs').writeSync(1, String(Date.now()))
        process.exit(7)
      }, 20)`)
    expect(code).toBe(7)
    expect(Date.now() - Number(output)).toBeLessThan(10_000)
  })

  test('process.exit while a worker runs neither crashes nor waits', async () => {
    const { code } = await node(`
      const { Worker } = require('node:worker_threads')
      const worker = new Worker(${JSON.stringify(`${prelude}
        start(512, 100000)
        require('node:worker_threads').parentPort.postMessage('started')`)}, { eval: true })
      worker.on('message', () => process.exit(7))`)
    expect(code).toBe(7)
  })

  test('a worker that alone had loaded the addon may end before the process', async () => {
    const { code, output } = await node(`
      const { Worker } = require('node:worker_threads')
      const once = () => new Worker(${JSON.stringify(`${prelude} start(64, 10)`)}, { eval: true })
      once().on('exit', () => once().on('exit', (code) => setTimeout(() => console.log('ended', code), 100)))`)
    expect(output).toBe('ended 0\n')
    expect(code).toBe(0)
  })

  test('timers stay prompt during a run', async () => {
    const n = 512
    const program = addon.program(
      Float64Array.from(
        Array(100)
          .fill(matmul(addon, n, [2, 2, 3]))
          .flat(),
      ),
    )
    const buffers = [addon.allocate(n * n * 4), addon.allocate(n * n * 4)]
    let running = true
    const run = addon.run(program, 0, null, none, buffers).then(() => {
      running = false
    })
    let ticks = 0
    while (running) {
      await sleep(1)
      ticks++
    }
    await run
    expect(ticks).toBeGreaterThan(10)
  })
})

async function runOnce(): Promise<void> {
  const program = addon.program(Float64Array.from(matmul(addon, 4, [2, 2, 3])))
  const buffers = [addon.allocate(64), addon.allocate(64)]
  await addon.run(program, 0, null, none, buffers)
  for (const handle of [program, ...buffers]) addon.dispose(handle)
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
}

function exit(worker: Worker): Promise<number> {
  return new Promise((resolve) => worker.once('exit', resolve))
}

function node(script: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['-e', script],
      { timeout: 300_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    )
  })
}
