import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { hold, manualSeed, synchronize } from '../../src/index.ts'
import { GPT2 } from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { version } from '../../src/util/version.ts'

const options = JSON.parse(process.argv[2]) as Record<string, string>
const n = (key: string): number => Number(options[key])

manualSeed(1)
const model = new GPT2({
  vocab_size: n('vocab'),
  n_positions: n('context'),
  n_embd: n('dim'),
  n_layer: n('layers'),
  n_head: n('heads'),
  resid_pdrop: 0,
  embd_pdrop: 0,
  attn_pdrop: 0,
})
const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
const shape = [n('batch'), n('context')]
const ids = Int32Array.from({ length: n('batch') * n('context') }, (_, i) => (i * 31) % n('vocab'))
const targets = Int32Array.from(ids, (_, i) => ((i + 1) * 31) % n('vocab'))
const step = hold((x, y) => {
  const loss = model.loss(x, y)
  loss.backward()
  optimizer.update()
  return [loss]
})

console.log(JSON.stringify({ version: `${version} (Node ${process.versions.node})` }))
for await (const _ of createInterface({ input: process.stdin })) {
  const ms: number[] = []
  let loss = 0
  for (let i = 0; i < n('steps'); i++) {
    const start = performance.now()
    optimizer.beginStep()
    const [result] = await step({ data: ids, shape }, { data: targets, shape })
    loss = await result.item()
    await synchronize()
    ms.push(performance.now() - start)
  }
  console.log(JSON.stringify({ ms, loss, peakBytes: peakBytes() }))
}

/** The most resident memory that this process has had. */
function peakBytes(): number {
  const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))
  return found ? Number(found[1]) * 1024 : process.memoryUsage().rss
}
