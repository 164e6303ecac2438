// Measures what adapters and rollouts cost besides training: how much an adapter that is not merged slows decoding, how
// long a swap of adapters takes until the next token is computed, and how many tokens of 64 rollouts are written in the
// time of one token of a single row. HEED_SMOLLM2 names the GGUF file of SmolLM2; without it, GPT-2 124M with random
// weights is decoded. Run with: npm run bench:adapters
import { addAdapter, setAdapters } from '../src/adapt/index.ts'
import { Decoder, Rollouts } from '../src/generate/index.ts'
import { manualSeed } from '../src/index.ts'
import { type CausalLM, fromPretrained, GPT2 } from '../src/models/index.ts'
import { bootstrap, median } from './statistics.ts'

const ROUNDS = 15
const TOKENS = 32

manualSeed(1)
const file = process.env.HEED_SMOLLM2
const none = { resid_pdrop: 0, embd_pdrop: 0, attn_pdrop: 0 }
const open = async (): Promise<CausalLM> =>
  file ? fromPretrained(file, 'causal-lm', { keepBlocks: true }) : new GPT2(none).eval()

const plain = await open()
const adapted = await open()
const targets = file ? 'q_proj+v_proj' : 'c_attn'
for (const name of ['first', 'second']) await addAdapter(adapted, `lora:r=8,targets=${targets}`, { name }) // biome-ignore format: one line
setAdapters(adapted, { first: 1 })

const decoders = [plain, adapted].map((model) => new Decoder(model, 256))
/** Milliseconds of a token. */
async function decode(decoder: Decoder): Promise<number> {
  decoder.rewind(0)
  await decoder.start([[1, 2, 3]])
  const began = performance.now()
  for (let i = 0; i < TOKENS; i++) await decoder.next([(i * 31) % 1000])
  return (performance.now() - began) / TOKENS
}
for (const decoder of decoders) await decode(decoder)
const slower: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const times = round % 2 ? [await decode(decoders[1]), await decode(decoders[0])].reverse() : [await decode(decoders[0]), await decode(decoders[1])] // biome-ignore format: one line
  slower.push(times[1] / times[0])
}
print('a token with an adapter that is not merged, against one without', slower, '×', 3)

const swaps: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const began = performance.now()
  setAdapters(adapted, { [['first', 'second'][round % 2]]: 1 })
  swaps.push(performance.now() - began)
  await decode(decoders[1])
}
print('a swap of adapters', swaps, 'ms', 3)

const small = new GPT2({ ...none, vocab_size: 65, n_positions: 128, n_embd: 128, n_layer: 4, n_head: 4 }).eval() // biome-ignore format: one line
const rollouts = new Rollouts(small, { maxTokens: 64 })
/** Tokens per second. */
async function write(prompts: number): Promise<number> {
  const began = performance.now()
  await rollouts.write(Array.from({ length: prompts }, (_, i) => [1, 2, i % 60]), { seed: 1 }) // biome-ignore format: one line
  return (prompts * 64) / ((performance.now() - began) / 1000)
}
for (const count of [1, 64]) await write(count)
const gains: number[] = []
for (let round = 0; round < ROUNDS; round++) gains.push((await write(64)) / (await write(1)))
print('tokens of 64 rollouts of a 4x128 GPT in the time of one of a single row', gains, '×', 1)

function print(what: string, values: readonly number[], unit: string, digits: number): void {
  const { low, high } = bootstrap(values)
  console.log(`${what}: ${median(values).toFixed(digits)} ${unit} (95 %: ${low.toFixed(digits)} to ${high.toFixed(digits)})`) // biome-ignore format: one line
}
