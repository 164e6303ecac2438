// What brown.ts and names.ts have in common: an LSTM in both directions (Huang et al., 2015) over what a word is and how it is
// written: itself, its last three and two letters, its first one, and the shape of its capitals.
import { cat, F, type HeldInput, manualSeed, noGrad, type Tensor, tensor } from 'heed'
import { type Batch, BucketedBatches, Prefetch } from 'heed/data'
import { Dropout, Embedding, Linear, LSTM, Module } from 'heed/nn'
import { AdamW, schedules } from 'heed/optim'
import { Trainer } from 'heed/train'

export interface Sentence {
  words: string[]
  tags: string[]
}

export type Tagger = (sentences: readonly Sentence[]) => Promise<string[][]>

export interface TaggerOptions {
  labels: string[]
  seed: number
  epochs: number
  hidden: number
}

/** How a word is seen, and the width of each view's embedding. */
const VIEWS: [width: number, view: (word: string) => string][] = [
  [96, (word) => word.toLowerCase()],
  [48, (word) => word.toLowerCase().slice(-3)],
  [24, (word) => word.toLowerCase().slice(-2)],
  [8, (word) => word.toLowerCase().slice(0, 1)],
  [
    8,
    (word) =>
      word
        .slice(0, 4)
        .replace(/\p{Lu}/gu, 'A')
        .replace(/\p{Ll}/gu, 'a')
        .replace(/\d/g, '0'),
  ],
]
const LONGEST = 64 // words
const BATCH = 32
const IGNORED = -100 // what crossEntropy leaves out

// B sentences, T words, K tags
class LstmTagger extends Module<{ sizes: number[]; hidden: number; labels: number }> {
  views = VIEWS.map(([width], i) => new Embedding(this.config.sizes[i], width))
  dropout = new Dropout(0.3)
  lstm = new LSTM(
    VIEWS.reduce((sum, [width]) => sum + width, 0),
    this.config.hidden,
    {
      batchFirst: true,
      bidirectional: true,
    },
  )
  classifier = new Linear(2 * this.config.hidden, this.config.labels)

  /** One (B, T) i32 for each view, lengths (B) -> logits (B, T, K). */
  forward(ids: readonly Tensor[], lengths: Tensor): Tensor {
    const words = cat(
      this.views.map((view, i) => view.forward(ids[i])),
      -1,
    )
    const { output } = this.lstm.forward(this.dropout.forward(words), { lengths })
    return this.classifier.forward(this.dropout.forward(output))
  }
}

interface Example {
  /** By view, by word. */
  ids: number[][]
  labels: number[]
}

export async function trainTagger(
  train: Sentence[],
  { labels, seed, epochs, hidden }: TaggerOptions,
): Promise<Tagger> {
  const known = VIEWS.map(([, view]) => numbered(train.flatMap(({ words }) => words.map(view))))
  const encode = ({ words, tags }: Sentence): Example => ({
    ids: VIEWS.map(([, view], i) =>
      words.slice(0, LONGEST).map((word) => known[i].get(view(word)) ?? 0),
    ),
    labels: tags.slice(0, LONGEST).map((tag) => labels.indexOf(tag)),
  })
  manualSeed(seed)
  const sizes = known.map(({ size }) => size + 1)
  const model = new LstmTagger({ sizes, hidden, labels: labels.length })
  const batches = new BucketedBatches({
    examples: train.map(encode),
    length: (example) => example.labels.length,
    collate,
    batchSize: BATCH,
    seed,
  })
  const steps = Math.ceil(epochs * batches.stepsPerEpoch)
  const trainer = new Trainer({
    model,
    loss: ({ labels, lengths, ...ids }) =>
      F.crossEntropy(model.forward(Object.values(ids), lengths), labels),
    optimizer: new AdamW(model.parameters(), { lr: 3e-3, weightDecay: 0.01, maxGradNorm: 1 }),
    schedule: schedules.linear({ warmup: Math.ceil(steps / 20), steps }),
    batches: new Prefetch(batches),
  })
  while (trainer.step < steps) {
    const done = await trainer.advance()
    if (done && (done.step % 100 === 0 || done.step === steps))
      console.log(`step ${done.step} of ${steps}  loss ${done.loss.toFixed(3)}`)
  }
  await trainer.drain()
  model.eval()

  return async (sentences) => {
    const found: string[][] = new Array(sentences.length)
    const order = sentences.map((sentence, i) => ({ i, example: encode(sentence) }))
    order.sort((a, b) => a.example.labels.length - b.example.labels.length)
    for (let start = 0; start < order.length; start += BATCH) {
      const some = order.slice(start, start + BATCH)
      const width = Math.ceil((some.at(-1)?.example.labels.length ?? 1) / 8) * 8
      const {
        labels: _,
        lengths,
        ...ids
      } = collate(
        some.map(({ example }) => example),
        width,
      )
      const [lengthsIn, ...idsIn] = [lengths, ...Object.values(ids)].map(({ data, shape }) =>
        tensor(data, { shape }),
      )
      const best = await noGrad(() => model.forward(idsIn, lengthsIn).argmax(-1)).data()
      for (const [row, { i }] of some.entries())
        found[i] = sentences[i].words.map(
          (_, at) => labels[at < LONGEST ? best[row * width + at] : 0],
        )
    }
    return found
  }
}

/** Numbers from 1 on for what is seen twice or more; 0 stands for all else. */
function numbered(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  const often = [...counts].filter(([, count]) => count > 1)
  return new Map(often.map(([item], i) => [item, i + 1]))
}

function collate(examples: readonly Example[], length: number): Batch {
  const filled = (rows: readonly number[][], filling: number): HeldInput => {
    const data = new Int32Array(rows.length * length).fill(filling)
    rows.forEach((row, i) => {
      data.set(row, i * length)
    })
    return { data, shape: [rows.length, length] }
  }
  const views = VIEWS.map((_, view) => [
    `view${view}`,
    filled(
      examples.map(({ ids }) => ids[view]),
      0,
    ),
  ])
  const lengths = Int32Array.from(examples, ({ labels }) => labels.length)
  return {
    ...Object.fromEntries(views),
    labels: filled(
      examples.map(({ labels }) => labels),
      IGNORED,
    ),
    lengths: { data: lengths, shape: [examples.length] },
  }
}
