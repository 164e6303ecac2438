// Three translators of like size, and how each learns: turn by turn, so that what else the machine
// does while it trains hits all three alike.
import { manualSeed } from 'heed'
import { type Batch, BucketedBatches } from 'heed/data'
import { generateSeq2Seq, Seq2SeqDecoder } from 'heed/generate'
import { Marian, type Seq2SeqLM, Seq2SeqRNN } from 'heed/models'
import { AdamW } from 'heed/optim'
import type { Tokenizer } from 'heed/tokenizers'
import { Trainer } from 'heed/train'
import type { Pair } from './pairs.ts'

export interface Example {
  source: readonly number[]
  target: readonly number[]
}

export interface System {
  name: string
  model: Seq2SeqLM
  trainer: Trainer
  /** Seconds of training so far. */
  seconds: number
  loss: number
}

interface Settings {
  tokenizer: Tokenizer
  /** Of embeddings and states. */
  width: number
  longest: number
  batchSize: number
  /** Steps in which the learning rate rises. */
  warmUp: number
  seed: number
  /** For each system. */
  seconds: number
}

export function makeSystems(examples: readonly Example[], settings: Settings): System[] {
  const { tokenizer, width, longest, seed, seconds, batchSize, warmUp } = settings
  const pad = tokenizer.padTokenId as number
  const shared = {
    vocab_size: tokenizer.vocabSize,
    pad_token_id: pad,
    eos_token_id: tokenizer.eosTokenId,
    max_position_embeddings: 2 * longest,
    dropout: 0, // nothing is seen often enough to be learnt by heart
  }
  const recurrent = { ...shared, embedding_size: width, hidden_size: width }
  const make: [string, number, () => Seq2SeqLM][] = [
    ['LSTM, fixed vector', 3e-3, () => new Seq2SeqRNN({ ...recurrent, cell_type: 'lstm', attention_type: 'none' })], // biome-ignore format: a row
    ['GRU, Bahdanau attention', 3e-3, () => new Seq2SeqRNN({ ...recurrent, cell_type: 'gru', attention_type: 'additive' })], // biome-ignore format: a row
    ['Transformer', 2e-3, () => new Marian({ ...shared, ...transformer(width) })],
  ]
  return make.map(([name, lr, create]) => {
    manualSeed(seed)
    const model = create()
    const system: System = { name, model, seconds: 0, loss: Number.NaN, trainer: null as never }
    const batches = new BucketedBatches({
      examples,
      length: ({ source, target }) => Math.max(source.length, target.length),
      collate: (chosen, length) => collate(chosen, length, pad),
      batchSize,
      seed,
    })
    system.trainer = new Trainer({
      model,
      loss: ({ input_ids, labels }) =>
        model.loss(input_ids, labels, { attentionMask: input_ids.ne(pad), labelSmoothing: 0.1 }),
      optimizer: new AdamW(model.parameters(), { lr, betas: [0.9, 0.98], weightDecay: 0.01, maxGradNorm: 1 }), // biome-ignore format: one line
      // A warm-up by steps, then half a cosine by the time that is used.
      schedule: (step) =>
        Math.min(1, (step + 1) / warmUp) *
        (0.02 + 0.49 * (1 + Math.cos(Math.PI * Math.min(1, system.seconds / seconds)))),
      batches,
    })
    return system
  })
}

const transformer = (width: number) => ({
  d_model: width,
  encoder_layers: 2,
  decoder_layers: 2,
  encoder_attention_heads: 4,
  decoder_attention_heads: 4,
  encoder_ffn_dim: 2 * width,
  decoder_ffn_dim: 2 * width,
  activation_function: 'relu' as const,
  scale_embedding: true,
  init_std: width ** -0.5,
})

function collate(examples: readonly Example[], length: number, pad: number): Batch {
  const shape = [examples.length, length]
  const ids = new Int32Array(examples.length * length).fill(pad)
  const labels = new Int32Array(examples.length * length).fill(-100)
  for (const [row, { source, target }] of examples.entries()) {
    ids.set(source, row * length)
    labels.set(target, row * length)
  }
  return { input_ids: { data: ids, shape }, labels: { data: labels, shape } }
}

/** The system with the least training time takes the next turn, until all have had their share. */
export async function trainInTurns(
  systems: readonly System[],
  seconds: number,
  onTurn: (system: System) => void,
): Promise<void> {
  const turn = Math.min(5, seconds / 4)
  for (;;) {
    const next = systems.reduce((a, b) => (b.seconds < a.seconds ? b : a))
    if (next.seconds >= seconds) return
    const before = next.seconds
    const start = performance.now()
    const until = Math.min(before + turn, seconds)
    while (next.seconds < until) {
      const result = await next.trainer.advance()
      if (result) next.loss = result.loss
      next.seconds = before + (performance.now() - start) / 1000
    }
    const last = await next.trainer.drain()
    if (last) next.loss = last.loss
    next.seconds = before + (performance.now() - start) / 1000
    onTurn(next)
  }
}

/** Greedy decoding, 32 sentences of similar length in a batch. */
export async function translate(
  { model }: System,
  tokenizer: Tokenizer,
  pairs: readonly Pair[],
): Promise<string[]> {
  model.eval()
  const decoder = new Seq2SeqDecoder(model)
  const sources = pairs.map(({ source }) => tokenizer.encode(source))
  const order = sources.map((_, i) => i).sort((a, b) => sources[b].length - sources[a].length)
  const written = new Array<string>(pairs.length)
  for (let start = 0; start < order.length; start += BATCH) {
    const chosen = order.slice(start, start + BATCH)
    const maxTokens = Math.min(model.contextLength - 1, 10 + 2 * sources[chosen[0]].length)
    const options = { decoder, maxTokens, stopTokens: [tokenizer.eosTokenId as number] }
    const found = await generateSeq2Seq(model, chosen.map((i) => sources[i]), options) // biome-ignore format: one line
    chosen.forEach((i, row) => {
      written[i] = tokenizer.decode(found[row], { skipSpecialTokens: true }).trim()
    })
  }
  return written
}

const BATCH = 32
