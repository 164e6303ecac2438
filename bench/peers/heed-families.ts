// The work of each family of cases, written like user code.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAdapter } from '../../src/adapt/index.ts'
import { Decoder } from '../../src/generate/index.ts'
import {
  F,
  hold,
  manualSeed,
  Parameter,
  randn,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts'
import {
  type CausalLM,
  fromPretrained,
  GPT2,
  SentenceEncoder,
  savePretrained,
} from '../../src/models/index.ts'
import { BatchNorm2d, GRU, GroupNorm, LSTM, quantize } from '../../src/nn/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { trainTokenizer } from '../../src/tokenizers/index.ts'
import { parseTrainConfig, trainModel } from '../../src/train/index.ts'
import { type BlockFormat, blockBytes } from '../../src/util/block-formats.ts'
import type { QuantizeFormat } from '../../src/util/quantize-blocks.ts'
import { novelSentences } from './sentences.mjs'

export type Params = Record<string, number | string>

export interface Workload {
  /**
   * May resolve before the run has ended: as in training, the next run is prepared meanwhile. A returned
   * number is the time that the run has measured itself, in milliseconds.
   */
  run(): Promise<unknown>
  /** Number of measured operations in one run. */
  count: number
}

type Family = (params: Params) => Promise<Workload>

const SMALL = 1e8 // floating-point operations below which several products go into one program

/** Products into held memory, of enough pairs to amortise the call. */
const matmul: Family = async ({ m, k, n, batches, layout }) => {
  const [M, K, N, B] = [m, k, n, batches].map(Number)
  const count = Math.min(64, Math.max(1, Math.floor(SMALL / (2 * B * M * K * N))))
  const pairs = Array.from({ length: count }, () => ({
    a: state(layout === 'TN' ? randn([B, K, M]) : randn([B, M, K])),
    b: state(layout === 'NT' ? randn([B, N, K]) : randn([B, K, N])),
    out: state(zeros([B, M, N])),
  }))
  const step = hold(() => {
    for (const { a, b, out } of pairs) {
      const left = layout === 'TN' ? a.transpose(1, 2) : a
      const right = layout === 'NT' ? b.transpose(1, 2) : b
      out.assign(left.matmul(right))
    }
    return []
  })
  return { run: step, count }
}

/** Rows times quantized weights. Bytes are below 60, so that scales are finite. */
const quantized: Family = async ({ m, k, n, format }) => {
  const [M, K, N] = [m, k, n].map(Number)
  const width = blockBytes(format as BlockFormat, K)
  const bytes = Uint8Array.from({ length: N * width }, (_, i) => (i * 29) % 60)
  const [x, w] = [state(randn([M, K])), state(tensor(bytes).reshape([N, width]))]
  const out = state(zeros([M, N]))
  const step = hold(() => {
    out.assign(F.linearQuantized(x, w, format as BlockFormat))
    return []
  })
  return { run: step, count: 1 }
}

const attention: Family = async ({ batch, heads, T, D }) => {
  const shape = [batch, heads, T, D].map(Number)
  const [q, k, v] = [0, 1, 2].map(() => new Parameter(randn(shape)))
  return forwardBackward([q, k, v], () => F.scaledDotProductAttention(q, k, v, { causal: true }))
}

/** Operations on rows: element-wise, softmax, norms, losses. */
const rows: Family = async ({ op, rows: count, columns }) => {
  const [R, C] = [Number(count), Number(columns)]
  const x = new Parameter(randn([R, C]))
  if (op === 'layer_norm') {
    const [weight, bias] = [new Parameter(randn([C])), new Parameter(randn([C]))]
    return forwardBackward([x, weight, bias], () => F.layerNorm(x, weight, bias))
  }
  if (op === 'cross_entropy') {
    const targets = state(tensor(Int32Array.from({ length: R }, (_, i) => (i * 31) % C)))
    return forwardBackward([x], () => F.crossEntropy(x, targets))
  }
  const ops: Record<string, () => Tensor> = {
    gelu: () => x.gelu(),
    gelu_tanh: () => x.gelu('tanh'),
    softmax: () => x.softmax(-1),
  }
  return forwardBackward([x], ops[op])
}

/** A convolution of images, forward only or with both gradients. */
const convolution: Family = async (params) => {
  const { batch, channels, size, outputs, kernel, stride, padding, groups } = Object.fromEntries(
    Object.entries(params).map(([key, value]) => [key, Number(value)]),
  )
  const x = new Parameter(randn([batch, channels, size, size]))
  const weight = new Parameter(randn([outputs, channels / groups, kernel, kernel]))
  const f = (): Tensor => F.conv2d(x, weight, null, { stride, padding, groups })
  if (params.pass === 'both') return forwardBackward([x, weight], f)
  const y = state(zeros(f().shape))
  const step = hold(() => {
    y.assign(f().detach())
    return []
  })
  return { run: step, count: 1 }
}

/** Normalisation of 32 groups, or over the batch. */
const norm: Family = async ({ kind, batch, channels, size }) => {
  const C = Number(channels)
  const layer = kind === 'GroupNorm' ? new GroupNorm(32, C) : new BatchNorm2d(C)
  const x = new Parameter(randn([Number(batch), C, Number(size), Number(size)]))
  return forwardBackward([x, ...layer.parameters()], () => layer.forward(x))
}

/** Forward and backward of `f`; the value and the gradients are written to held memory. */
async function forwardBackward(inputs: Parameter[], f: () => Tensor): Promise<Workload> {
  const { shape } = f()
  const [y, dy] = [state(zeros(shape)), state(randn(shape))]
  const grads = inputs.map((x) => state(zeros(x.shape)))
  const step = hold(() => {
    const value = f()
    const root = value.size === 1 ? value : value.mul(dy).sum()
    root.backward()
    y.assign(value.detach())
    inputs.forEach((x, i) => {
      grads[i].assign(x.grad as Tensor)
      x.grad = null
    })
    return []
  })
  return { run: step, count: 1 }
}

/** Forward and backward over whole sequences. */
const recurrent: Family = async ({ kind, layers, hidden, T, batch }) => {
  const [H, B] = [Number(hidden), Number(batch)]
  const Layer = kind === 'LSTM' ? LSTM : GRU
  const model = new Layer(H, H, { numLayers: Number(layers) })
  const x = new Parameter(randn([Number(T), B, H]))
  return forwardBackward([x, ...model.parameters()], () => model.forward(x).output)
}

const adamw: Family = async ({ count }) => {
  const p = new Parameter(randn([Number(count)]))
  const gradient = state(randn([Number(count)]))
  const optimizer = new AdamW([p], { lr: 1e-3 })
  const step = hold(() => {
    p.mul(gradient).sum().backward()
    optimizer.update()
    return []
  })
  const run = async (): Promise<void> => {
    optimizer.beginStep()
    await step()
  }
  return { run, count: 1 }
}

const train: Family = async (params) => {
  const model = gpt(params)
  const { batch, context, vocab } = params
  return trainingSteps(model, model.parameters(), [batch, context].map(Number), Number(vocab))
}

/** Steps that update some parameters of a language model. */
function trainingSteps(
  model: CausalLM,
  parameters: Parameter[],
  shape: readonly number[],
  vocab: number,
): Workload {
  const optimizer = new AdamW(parameters, { lr: 1e-3 })
  const ids = Int32Array.from({ length: shape[0] * shape[1] }, (_, i) => (i * 31) % vocab)
  const targets = ids.map((_, i) => ((i + 1) * 31) % vocab)
  const step = hold((x, y) => {
    const loss = model.loss(x, y)
    loss.backward()
    optimizer.update()
    return [loss]
  })
  let before: Tensor | null = null // the loss of a step is read while the next one runs
  const run = async (): Promise<void> => {
    optimizer.beginStep()
    const [loss] = await step({ data: ids, shape }, { data: targets, shape })
    await before?.item()
    before = loss
  }
  return { run, count: 1 }
}

/** A training step of an adapter. The weights of a file stay in their blocks. */
const lora: Family = async (params) => {
  const { batch, context, vocab, rank, targets, file } = params
  const model = file
    ? ((await fromPretrained(String(file), 'causal-lm', { keepBlocks: true })) as CausalLM)
    : gpt(params)
  const adapter = await addAdapter(model, `lora:r=${rank},targets=${targets}`)
  return trainingSteps(model, adapter.parameters(), [batch, context].map(Number), Number(vocab))
}

/** Steps of GRPO as a run: rollouts, rewards, loss and update. The first step, which compiles, is not counted. */
const grpo: Family = async ({ layers, heads, dim, context, prompts, answers, tokens, steps }) => {
  const folder = mkdtempSync(join(tmpdir(), 'heed-bench-grpo-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): string => join(folder, name)
  const sums = Array.from({ length: 1000 }, (_, i) => ({ prompt: `${10 + (i % 90)}+${10 + (i % 83)}=` })) // biome-ignore format: one line
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('') // biome-ignore format: one line
  writeFileSync(at('sums.jinja'), '{% for m in messages %}{{ m.content }}{% if m.role == "assistant" %}{{ eos_token }}{% endif %}{% endfor %}') // biome-ignore format: one line
  writeFileSync(at('examples.jsonl'), lines(sums.map((row, i) => ({ ...row, completion: `${100 + (i % 90)}` })))) // biome-ignore format: one line
  writeFileSync(at('prompts.jsonl'), lines(sums.map((row) => ({ ...row, answer: '100' }))))
  writeFileSync(at('odd.mjs'), 'export default (prompt, answer) => answer.length % 2\n')
  const common = { model: 'gpt2', context: Number(context), warmup: 0, dropout: 0, valFraction: 0, evalEvery: 0, saveEvery: 0, lr: 1e-5 } // biome-ignore format: one line
  const sizes = { layers: Number(layers), heads: Number(heads), dim: Number(dim) }
  const base = parseTrainConfig({ ...common, ...sizes, task: 'chat', tokenizer: 'char', template: at('sums.jinja'), data: [at('examples.jsonl')], steps: 1 }) // biome-ignore format: one line
  await trainModel({ config: base, out: at('base') })
  const counts = { batch: Number(prompts), answers: Number(answers), maxNewTokens: Number(tokens), steps: 1 + Number(steps) } // biome-ignore format: one line
  const config = parseTrainConfig({ ...common, ...counts, from: at('base'), task: 'grpo', reward: at('odd.mjs'), data: [at('prompts.jsonl')] }) // biome-ignore format: one line
  const run = async (): Promise<number> => {
    rmSync(at('run'), { recursive: true, force: true })
    const ended: number[] = []
    await trainModel({
      config,
      out: at('run'),
      on: ({ type }) => type === 'step' && ended.push(performance.now()),
    })
    return (ended.at(-1) ?? Number.NaN) - ended[0]
  }
  return { run, count: Number(steps) }
}

/**
 * The work of JavaScript before a training step runs: building and tracing its graph and, with `compile`, also lowering,
 * planning and encoding the program. The time of the device is not included.
 */
const prepare: Family = async ({ compile, ...params }) => {
  const model = gpt(params)
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 })
  const shape = [Number(params.batch), Number(params.context)]
  const ids = Int32Array.from({ length: shape[0] * shape[1] }, (_, i) => (i * 31) % 65)
  let size = 0
  const run = async (): Promise<number> => {
    if (compile) size++ // another shape is another program
    const unused = tensor(new Float32Array(size + 1))
    const began = performance.now()
    const x = tensor(ids, { shape, dtype: 'i32' })
    model.loss(x, x).add(unused.sum()).backward()
    const submitted = optimizer.step()
    const took = performance.now() - began
    await submitted
    await synchronize()
    return took
  }
  await run() // creates the state of the optimizer
  return { run, count: 1 }
}

/** Capacity of a decoder in tokens, the same as for the peers. */
const CONTEXT = 1024

const prefill: Family = async (params) => {
  const decoder = new Decoder(await generator(params), CONTEXT)
  const tokens = Array.from({ length: Number(params.tokens) }, (_, i) => (i * 31) % 1000)
  const run = async (): Promise<void> => {
    decoder.rewind(0) // otherwise it would keep the tokens it has read
    await decoder.start([tokens])
  }
  return { run, count: 1 }
}

const decode: Family = async (params) => {
  const decoder = new Decoder(await generator(params), CONTEXT)
  const count = Number(params.tokens)
  // Always from the same position, otherwise a full cache would be read again.
  const run = async (): Promise<number> => {
    decoder.rewind(0)
    await decoder.start([[1, 2, 3]])
    const began = performance.now()
    for (let i = 0; i < count; i++) await decoder.next([(i * 31) % 1000])
    return performance.now() - began
  }
  return { run, count }
}

/** Embeds sentences of a novel, of 3 to 60 words, including tokenization. */
const embed: Family = async ({ folder, sentences, batchSize }) => {
  const encoder = await SentenceEncoder.fromPretrained(String(folder))
  const texts = novelSentences(Number(sentences))
  return { run: () => encoder.embed(texts, { batchSize: Number(batchSize) }), count: 1 }
}

/** Time from the start of the command to the first piece of text of a model on disk, which is created here. */
const start: Family = async (params) => {
  const folder = String(params.folder)
  manualSeed(1)
  const characters = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => i + 33))
  const tokenizer = trainTokenizer([characters], { type: 'char' })
  await savePretrained(gpt({ ...params, vocab: tokenizer.vocabSize }), folder, { tokenizer })
  const other = process.env.HEED_AGAINST // see bench/against.ts
  if (!other) execFileSync('npm', ['run', 'prepare'], { stdio: 'ignore' }) // bin/heed.js runs dist/
  const command = [
    `${other ?? '.'}/bin/heed.js`,
    'generate',
    folder,
    '--prompt',
    'Callme',
    '--tokens',
    '1',
  ]
  return { run: () => firstWrite(process.execPath, command), count: 1 }
}

/** Milliseconds until the first output of a command. */
async function firstWrite(command: string, args: string[]): Promise<number> {
  const began = performance.now()
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), ended])
  const took = performance.now() - began
  const [code] = await ended
  if (code !== 0) throw new Error(`${args.join(' ')} ended with code ${code}`)
  return took
}

export const families: Record<string, Family> = {
  matmul,
  quantized,
  attention,
  rows,
  recurrent,
  convolution,
  norm,
  adamw,
  train,
  lora,
  grpo,
  prepare,
  prefill,
  decode,
  start,
  embed,
}

/** The model of a file, or a GPT-2 with random weights, quantized if `format` is given. */
async function generator(params: Params): Promise<CausalLM> {
  if (params.file) return fromPretrained(String(params.file))
  const model = gpt(params).eval()
  if (params.format) await quantize(model, params.format as QuantizeFormat)
  return model
}

function gpt({ layers, heads, dim, context, vocab }: Params): GPT2 {
  return new GPT2({
    vocab_size: Number(vocab),
    n_positions: Number(context),
    n_embd: Number(dim),
    n_layer: Number(layers),
    n_head: Number(heads),
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
  })
}

function state(t: Tensor): Tensor {
  t.becomeState()
  return t
}
