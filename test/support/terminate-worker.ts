// Starts workers that compute without end, terminates each in the middle of a run, and computes
// something itself in between. Prints how many it has survived.
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { randn } from '../../src/index.ts'

if (isMainThread) await terminateSome(3)
else await computeForEver()

async function terminateSome(count: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    const worker = new Worker(new URL(import.meta.url))
    await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    if (Number.isNaN(await randn([8]).sum().item())) throw new Error('a wrong sum')
  }
  console.log(`survived ${count}`)
}

async function computeForEver(): Promise<void> {
  const x = randn([512, 512])
  x.becomeState()
  for (;;) {
    let y = x
    for (let i = 0; i < 20; i++) y = y.matmul(x).mul(0.01)
    const values = y.data()
    parentPort?.postMessage('running')
    await values
  }
}
