// Measures the responsiveness of JavaScript during training: a 5 ms timer next to a nanoGPT step whose graph is built in
// each step. Run with: npm run bench:timer
import { manualSeed, tensor } from '../src/index.ts'
import { GPT2 } from '../src/models/index.ts'
import { AdamW } from '../src/optim/index.ts'

const SECONDS = 20
const INTERVAL = 5 // ms

manualSeed(1)
const none = { resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 }
const size = { vocab_size: 65, n_positions: 256, n_embd: 384, n_layer: 6, n_head: 6 }
const model = new GPT2({ ...size, ...none })
const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
const ids = new Int32Array(2 * 256)

const step = async (): Promise<void> => {
  const x = tensor(ids, { shape: [2, 256] })
  const loss = model.loss(x, x)
  loss.backward()
  await optimizer.step()
}
for (let i = 0; i < 3; i++) await step()

const gaps: number[] = []
let last = performance.now()
const timer = setInterval(() => {
  const now = performance.now()
  gaps.push(now - last)
  last = now
}, INTERVAL)
const end = performance.now() + SECONDS * 1000
let steps = 0
while (performance.now() < end) {
  await step()
  steps++
}
clearInterval(timer)
gaps.sort((a, b) => a - b)
const at = (share: number): string => gaps[Math.floor(share * (gaps.length - 1))].toFixed(1)
console.log(
  `${steps} steps, ${gaps.length} ticks of a ${INTERVAL} ms timer: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`,
)
