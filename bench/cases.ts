// The measured cases, with their peers and targets.
import type { BlockFormat } from '../src/util/block-formats.ts'

export interface Case {
  name: string
  /** Heed's device, if it is not the native one. */
  device?: 'wasm'
  /** Name of the function that does the work on each side. */
  family: Family
  params: Record<string, number | string>
  /** Target: Heed's speed must be at least `atLeast` times the speed of the best of these peers. */
  peers: Peer[]
  /** Peers that are measured only if `--peer` names them, and that are not part of the target. */
  apart?: Peer[]
  atLeast: number
  /** The target of a group applies to the geometric mean of its cases; each case must reach `floor`. */
  group?: { name: string; atLeast: number; floor: number }
  /** Floating-point operations of one run, if the peer is the arithmetic of the machine. */
  flops?: number
  /** Bytes that one run must read (or read and write), if the peer is the bandwidth of the machine. */
  bytes?: number
  /** Target: Heed's peak memory must be at most this share of the peer's. */
  memoryAtMost?: number
  /** The numbers of threads to measure, if not all. */
  threads?: number[]
}

/** Programs, and (the last three) the ceilings of the machine: see src/runtime/cpu/probe.ts. */
export type Peer =
  | 'torch'
  | 'torch.compile'
  | 'openblas'
  | 'llama.cpp'
  | 'tfjs'
  | 'jax-js'
  | 'transformers.js'
  | 'flops'
  | 'read'
  | 'readWrite'

export type Family =
  | 'matmul'
  | 'quantized'
  | 'attention'
  | 'rows'
  | 'recurrent'
  | 'convolution'
  | 'norm'
  | 'adamw'
  | 'train'
  | 'lora'
  | 'grpo'
  | 'prepare'
  | 'prefill'
  | 'decode'
  | 'start'
  | 'embed'

const products: [m: number, k: number, n: number, batches?: number][] = [
  [2048, 384, 384],
  [2048, 384, 1152],
  [2048, 384, 1536],
  [2048, 1536, 384],
  [2048, 768, 2304],
  [2048, 768, 3072],
  [2048, 3072, 768],
  [512, 768, 50257],
  [128, 768, 768],
  [64, 128, 512],
  [17, 63, 65],
  [1024, 64, 1024, 48],
  [1024, 1024, 64, 48],
]

const sgemm: Case[] = products.flatMap(([m, k, n, batches = 1]) =>
  ['NN', 'NT', 'TN'].map((layout): Case => {
    const shape = `${m}x${k}x${n}${batches > 1 ? `x${batches}` : ''}`
    return {
      name: `sgemm ${layout} ${shape}`,
      family: 'matmul',
      params: { m, k, n, batches, layout },
      peers: ['torch', 'openblas'],
      atLeast: 0.85,
      group: { name: 'sgemm', atLeast: 0.95, floor: 0.85 },
      flops: 2 * batches * m * n * k,
    }
  }),
)

const gemv: Case = {
  name: 'gemv 1x4096x4096',
  family: 'matmul',
  params: { m: 1, k: 4096, n: 4096, batches: 1, layout: 'NT' },
  peers: ['read'],
  atLeast: 0.9,
  bytes: 4 * 4096 * 4096,
}

/** Bits per weight, including its share of the scales. */
const blockBits: Partial<Record<BlockFormat, number>> = {
  q4_k: 4.5,
  q5_0: 5.5,
  q5_1: 6,
  q5_k: 5.5,
  q3_k: 3.4375,
  iq4_nl: 4.5,
}

/** Generating a token: all weights are read once. */
const quantized: Case[] = Object.entries(blockBits).map(([format, bits]) => ({
  name: `gemv 1x4096x16384 ${format}`,
  family: 'quantized',
  params: { m: 1, k: 4096, n: 16384, format },
  peers: ['read'],
  atLeast: 0.5,
  bytes: (bits / 8) * 4096 * 16384,
}))

const attention: Case[] = [256, 1024].map((T) => ({
  name: `attention causal T ${T}`,
  family: 'attention',
  params: { batch: 4, heads: 12, T, D: 64 },
  peers: ['torch'],
  apart: ['torch.compile'],
  atLeast: 1.3,
}))

const row = (op: string, rows: number, columns: number): Case => ({
  name: `${op} ${rows}x${columns}`,
  family: 'rows',
  params: { op, rows, columns },
  peers: ['torch'],
  apart: ['torch.compile'],
  atLeast: 1.2,
})

const recurrent: Case[] = ['LSTM', 'GRU'].map((kind) => ({
  name: `${kind} 2x256 T 64`,
  family: 'recurrent',
  params: { kind, layers: 2, hidden: 256, T: 64, batch: 32 },
  peers: ['torch'],
  atLeast: 1,
}))

/** The name has the kernel, stride, channels in and out, and the size of images. */
const convolution = (
  name: string,
  shape: [batch: number, channels: number, size: number, outputs: number],
  options: { kernel?: number; stride?: number; padding?: number; groups?: number } = {},
): Case[] => {
  const { kernel = 3, stride = 1, groups = 1 } = options
  const { padding = (kernel - 1) / 2 } = options
  const [batch, channels, size, outputs] = shape
  const places = (Math.floor((size + 2 * padding - kernel) / stride) + 1) ** 2
  const flops = 2 * batch * places * outputs * (channels / groups) * kernel ** 2
  return ['forward', 'both'].map((pass) => ({
    name: `conv ${name} ${channels}-${outputs} ${size}x${size}, ${pass}`,
    family: 'convolution',
    params: { batch, channels, size, outputs, kernel, stride, padding, groups, pass },
    peers: ['torch'],
    atLeast: 1,
    flops: pass === 'both' ? 3 * flops : flops,
  }))
}

const convolutions: Case[] = [
  ...convolution('3x3', [32, 64, 32, 64]),
  ...convolution('3x3', [32, 64, 28, 64]),
  ...convolution('3x3', [16, 256, 14, 256]),
  ...convolution('3x3 / 2', [32, 64, 28, 128], { stride: 2 }),
  ...convolution('1x1', [32, 64, 28, 256], { kernel: 1 }),
  ...convolution('7x7 / 2', [8, 3, 112, 64], { kernel: 7, stride: 2 }),
  ...convolution('3x3 depth-wise', [32, 128, 28, 128], { groups: 128 }),
  ...convolution('16x16 / 16', [8, 3, 224, 384], { kernel: 16, stride: 16, padding: 0 }),
]

/** Norms over channels in training, forward and backward. */
const norm = (kind: string, ...[batch, channels, size]: number[]): Case => ({
  name: `${kind} ${batch}x${channels}x${size}x${size}`,
  family: 'norm',
  params: { kind, batch, channels, size },
  peers: ['torch'],
  atLeast: 1,
})

const PARAMETERS = 10_000_000
const adamw = (peer: Peer, atLeast: number): Case => ({
  name: `adamw 10M against ${peer === 'torch' ? 'torch' : 'bandwidth'}`,
  family: 'adamw',
  params: { count: PARAMETERS },
  peers: [peer],
  atLeast,
  bytes: PARAMETERS * 4 * 7, // reads p, g, m, v and writes p, m, v
})

const small = { layers: 4, heads: 4, dim: 128, context: 64, vocab: 65, batch: 12 }
const nano = { layers: 6, heads: 6, dim: 384, context: 256, vocab: 65 }
const gpt2 = { layers: 12, heads: 12, dim: 768, vocab: 50257 }
const GPT2_WEIGHTS = 124_439_808 - 1024 * 768 // without the position table, because only one row of it is read

const train = (name: string, params: Case['params'], atLeast: number, more = {}): Case => ({
  name: `train ${name}`,
  family: 'train',
  params,
  peers: ['torch'],
  apart: ['torch.compile'],
  atLeast,
  ...more,
})

/** A step that trains an adapter; the peer is peft. */
const lora = (name: string, params: Case['params'], atLeast: number): Case => ({
  name: `adapter ${name}`,
  family: 'lora',
  params: { rank: 8, ...params },
  peers: ['torch'],
  atLeast,
})

/** A step with answers of four characters to 64 prompts, eight to each; the peer is trl. */
const grpo: Case = {
  name: 'grpo 2x64, 64 x 8 answers',
  family: 'grpo',
  params: { layers: 2, heads: 2, dim: 64, context: 16, vocab: 14, prompts: 64, answers: 8, tokens: 4, steps: 10 }, // biome-ignore format: one line
  peers: ['torch'],
  atLeast: 3,
}

/** Compared only with other builds: see against.ts. */
const prepare = (name: string, compile: number): Case => ({
  name: `${name} the nanoGPT step`,
  family: 'prepare',
  params: { ...nano, batch: 1, compile },
  peers: [],
  atLeast: 1,
})

const wasmProduct = (m: number, k: number, n: number): Case => ({
  name: `wasm sgemm ${m}x${k}x${n}`,
  device: 'wasm',
  family: 'matmul',
  params: { m, k, n, batches: 1, layout: 'NN' },
  peers: ['flops'],
  atLeast: 0.85,
  flops: 2 * m * k * n,
  threads: [1],
})

/** With one thread, the peers use one as well; with two, they use what they can. */
const wasmTrain = (threads: number, atLeast: number): Case => ({
  name: `wasm train 4x128, ${threads === 1 ? 'one thread' : 'threads'}`,
  device: 'wasm',
  family: 'train',
  params: small,
  peers: ['tfjs', 'jax-js'],
  atLeast,
  threads: [threads],
})

/** The folder of all-MiniLM-L6-v2, with the same weights as onnx/model.onnx for the peer. */
const minilm = process.env.HEED_MINILM

const embed: Case = {
  name: 'embed 256 sentences, MiniLM',
  family: 'embed',
  params: { folder: minilm ?? '', sentences: 256, batchSize: 16 },
  peers: ['transformers.js'],
  atLeast: 1,
}

const decodeQuantized = (format: string): Case => ({
  name: `decode GPT-2 124M ${format}`,
  family: 'decode',
  params: { ...gpt2, context: 1024, tokens: 32, format },
  peers: ['llama.cpp'],
  atLeast: 1,
})

/** SmolLM2-135M-Instruct, as a GGUF file. */
const smollm2 = process.env.HEED_SMOLLM2

const ofFile = (family: 'prefill' | 'decode', tokens: number): Case => ({
  name: `${family}${family === 'prefill' ? ` ${tokens}` : ''} SmolLM2 135M Q4_1`,
  family,
  params: { file: smollm2 ?? '', tokens },
  peers: ['llama.cpp'],
  atLeast: 1,
})

export const cases: Case[] = [
  ...sgemm,
  gemv,
  ...quantized,
  ...attention,
  row('gelu', 2048, 1536),
  row('gelu_tanh', 2048, 1536),
  row('softmax', 2048, 1536),
  row('layer_norm', 2048, 1536),
  row('cross_entropy', 2048, 50257),
  ...recurrent,
  ...convolutions,
  ...['BatchNorm2d', 'GroupNorm'].flatMap((kind) => [
    norm(kind, 32, 64, 28),
    norm(kind, 16, 256, 14),
  ]),
  adamw('readWrite', 0.9),
  adamw('torch', 1),
  train('4x128', small, 2),
  train('nanoGPT batch 1', { ...nano, batch: 1 }, 1.25),
  train('nanoGPT batch 8', { ...nano, batch: 8 }, 1.1, { memoryAtMost: 0.7 }),
  train('GPT-2 124M T 128', { ...gpt2, context: 128, batch: 1 }, 1.1),
  lora('GPT-2 124M 4x256', { ...gpt2, context: 256, batch: 4, targets: 'c_attn' }, 1.2),
  grpo,
  prepare('trace', 0),
  prepare('trace and compile', 1),
  {
    name: 'prefill 512 GPT-2 124M',
    family: 'prefill',
    params: { ...gpt2, context: 1024, tokens: 512 },
    peers: ['torch'],
    atLeast: 1.1,
  },
  {
    name: 'decode GPT-2 124M f32',
    family: 'decode',
    params: { ...gpt2, context: 1024, tokens: 32 },
    peers: ['read'],
    atLeast: 0.9,
    bytes: GPT2_WEIGHTS * 4,
  },
  {
    name: 'first token of a small model on disk',
    family: 'start',
    params: { ...small, folder: 'build/bench/small-model' },
    peers: ['torch'],
    atLeast: 1 / 0.3,
    threads: [2],
  },
  wasmProduct(512, 512, 512),
  wasmProduct(2048, 384, 1536),
  wasmTrain(1, 1.5),
  wasmTrain(2, 3),
  decodeQuantized('q8_0'),
  decodeQuantized('q4_0'),
  ...(minilm ? [embed] : []),
  ...(smollm2
    ? [
        ofFile('decode', 32),
        ofFile('prefill', 512),
        lora('SmolLM2 135M Q4_1 8x64', { file: smollm2, context: 64, batch: 8, vocab: 49_152, targets: 'all-linear' }, 1), // biome-ignore format: one line
      ]
    : []),
]
