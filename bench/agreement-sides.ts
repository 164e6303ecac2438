// The sides of bench/agreement.ts: Heed with quantized weights, Heed in f32, and llama.cpp.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Decoder } from '../src/generate/index.ts'
import { type CausalLM, fromPretrained } from '../src/models/index.ts'
import { noGrad, tensor } from '../src/tensor/index.ts'

export interface Side {
  readonly name: string
  /** A row of logits for each token, teacher-forced. */
  logits(ids: readonly number[]): Promise<Float32Array>
  /** Continues each prompt greedily by `count` tokens. */
  greedy(prompts: readonly number[][], count: number): Promise<number[][]>
}

export async function heedSide(path: string, keepBlocks: boolean): Promise<Side> {
  const model = await fromPretrained(path, 'causal-lm', { keepBlocks })
  return {
    name: keepBlocks ? 'Heed' : 'Heed in f32',
    logits: keepBlocks ? (ids) => logitsByStep(model, ids) : (ids) => logitsAtOnce(model, ids),
    greedy: (prompts, count) => greedyTokens(model, prompts, count),
  }
}

/** Null if HEED_PYTHON has no llama-cpp-python. */
export function llamaSide(path: string, threads: string): Side | null {
  if (spawnSync(python, ['-c', 'import llama_cpp'], { stdio: 'ignore' }).status !== 0) return null
  const ask = (question: object): Promise<Uint8Array<ArrayBuffer>> =>
    askLlama(path, threads, question)
  return {
    name: 'llama.cpp',
    logits: async (ids) => new Float32Array((await ask({ ids })).buffer),
    greedy: async (prompts, tokens) => {
      const answer = await ask({ prompts, tokens })
      return JSON.parse(new TextDecoder().decode(answer))
    },
  }
}

const python = process.env.HEED_PYTHON ?? 'python3'

async function askLlama(
  path: string,
  threads: string,
  question: object,
): Promise<Uint8Array<ArrayBuffer>> {
  const script = fileURLToPath(new URL('peers/llama_cpp_agreement.py', import.meta.url))
  const child = spawn(python, [script, path, threads], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(question))
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`llama.cpp ended with code ${code}`)
  return Uint8Array.from(Buffer.concat(chunks))
}

async function logitsAtOnce(model: CausalLM, ids: readonly number[]): Promise<Float32Array> {
  const input = tensor([...ids], { dtype: 'i32' }).reshape(1, ids.length)
  return Float32Array.from(await noGrad(() => model.forward(input)).data())
}

/** As in generation: weights stay quantized, and activations are rounded. */
async function logitsByStep(model: CausalLM, ids: readonly number[]): Promise<Float32Array> {
  const decoder = new Decoder(model, ids.length)
  const all = new Float32Array(ids.length * model.vocabSize)
  for (const [at, id] of ids.entries()) {
    const logits = await (at === 0 ? decoder.start([[id]]) : decoder.next([id]))
    all.set(logits as Float32Array, at * model.vocabSize)
  }
  return all
}

async function greedyTokens(
  model: CausalLM,
  prompts: readonly number[][],
  count: number,
): Promise<number[][]> {
  const decoder = new Decoder(model, Math.max(...prompts.map((ids) => ids.length)) + count)
  const all: number[][] = []
  for (const prompt of prompts) {
    decoder.rewind(0)
    const written: number[] = []
    let logits = await decoder.start([prompt])
    while (written.length < count) {
      written.push(argmax(logits as Float32Array))
      if (written.length < count) logits = await decoder.next([written[written.length - 1]])
    }
    all.push(written)
  }
  return all
}

export function argmax(row: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i
  return best
}
