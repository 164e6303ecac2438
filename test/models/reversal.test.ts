// The whole of an encoder-decoder at work: masks, shifted labels, caches, and the end of a text.
import { expect, it } from 'vitest'
import { generateSeq2Seq, seq2SeqBeams } from '../../src/generate/index.ts'
import { manualSeed, tensor } from '../../src/index.ts'
import { Marian } from '../../src/models/index.ts'
import { AdamW, cosine, LRScheduler } from '../../src/optim/index.ts'

const [PAD, END] = [10, 11] // behind the ten digits
const [STEPS, BATCH, LONGEST] = [600, 64, 7]

const config = {
  vocab_size: 12,
  d_model: 32,
  encoder_layers: 1,
  decoder_layers: 1,
  encoder_attention_heads: 4,
  decoder_attention_heads: 4,
  encoder_ffn_dim: 64,
  decoder_ffn_dim: 64,
  max_position_embeddings: 16,
  activation_function: 'relu',
  dropout: 0,
  init_std: 1 / Math.sqrt(32),
  scale_embedding: true,
  pad_token_id: PAD,
  eos_token_id: END,
} as const

/** Strings of 3 to 7 digits, from a linear congruential generator. */
function drawer(state: number): () => number[] {
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  return () => Array.from({ length: 3 + below(LONGEST - 2) }, () => below(10))
}

const filled = (row: number[], with_: number): number[] => [
  ...row,
  END,
  ...Array(LONGEST - row.length).fill(with_),
]

it('a small Transformer learns to write strings of digits backwards', async () => {
  manualSeed(1)
  const model = new Marian(config)
  const optimizer = new AdamW(model.parameters(), { lr: 1e-2, betas: [0.9, 0.98], weightDecay: 0 })
  const scheduler = new LRScheduler(optimizer, cosine({ warmup: 30, steps: STEPS }))
  const draw = drawer(7)
  const seen = new Set<string>()
  for (let step = 0; step < STEPS; step++) {
    const words = Array.from({ length: BATCH }, draw)
    for (const word of words) seen.add(word.join(''))
    const ids = tensor(
      words.map((word) => filled(word, PAD)),
      { dtype: 'i32' },
    )
    const labels = tensor(
      words.map((word) => filled([...word].reverse(), -100)),
      { dtype: 'i32' },
    )
    model.loss(ids, labels, { attentionMask: ids.ne(PAD), labelSmoothing: 0.1 }).backward()
    await optimizer.step()
    scheduler.step()
    optimizer.zeroGrad()
  }
  model.eval()
  const fresh: number[][] = []
  while (fresh.length < 100) {
    const word = draw()
    if (!seen.has(word.join(''))) fresh.push(word)
  }
  const backwards = fresh.map((word) => [...word].reverse())
  const sources = fresh.map((word) => [...word, END])
  const options = { maxTokens: LONGEST + 1, stopTokens: [END] }
  expect(await generateSeq2Seq(model, sources, options)).toEqual(backwards)
  const found = await seq2SeqBeams(model, sources.slice(0, 5), { ...options, beams: 3 })
  expect(found.map(([{ tokens }]) => tokens)).toEqual(
    backwards.slice(0, 5).map((word) => [...word, END]),
  )
})
