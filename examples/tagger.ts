// A small BERT that tags words, trained from nothing: what brown.ts and names.ts have in common.
import { type HeldInput, manualSeed, noGrad, tensor } from 'heed'
import { type Batch, BucketedBatches, Prefetch } from 'heed/data'
import { BertForTokenClassification } from 'heed/models'
import { AdamW, decayGroups, schedules } from 'heed/optim'
import { type Tokenizer, trainTokenizer } from 'heed/tokenizers'
import { Trainer } from 'heed/train'

export interface Sentence {
  words: string[]
  tags: string[]
}

export interface TaggerOptions {
  labels: string[]
  seed: number
  epochs: number
  /** Hidden size; a head has 48 of it. */
  dim: number
  layers: number
  vocabSize: number
  batchSize?: number
}

/** A sentence as pieces of words; a word's tag stands at its first piece. */
interface Example {
  ids: number[]
  labels: number[]
}

const LONGEST = 128
const IGNORED = -100 // what crossEntropy leaves out

export type Tagger = (sentences: readonly Sentence[]) => Promise<string[][]>

export async function trainTagger(train: Sentence[], options: TaggerOptions): Promise<Tagger> {
  const { labels, seed, epochs, dim, layers, vocabSize, batchSize = 64 } = options
  const text = train.map(({ words }) => words.join(' '))
  const tokenizer = trainTokenizer(text, { type: 'wordpiece', vocabSize, lowercase: false })
  const encode = encoder(tokenizer, labels)
  manualSeed(seed)
  const model = new BertForTokenClassification({
    vocab_size: tokenizer.vocabSize,
    hidden_size: dim,
    num_hidden_layers: layers,
    num_attention_heads: dim / 48,
    intermediate_size: 4 * dim,
    max_position_embeddings: LONGEST,
    id2label: Object.fromEntries(labels.map((label, i) => [i, label])),
  })
  const batches = new BucketedBatches({
    examples: train.map(encode),
    length: ({ ids }) => ids.length,
    collate: toBatch,
    batchSize,
    seed,
  })
  const steps = Math.ceil(epochs * batches.stepsPerEpoch)
  const trainer = new Trainer({
    model,
    loss: ({ ids, labels, mask }) => model.loss(ids, labels, { attentionMask: mask.eq(1) }),
    optimizer: new AdamW(decayGroups(model, 0.01), { lr: 1e-3, maxGradNorm: 1 }),
    schedule: schedules.linear({ warmup: Math.ceil(steps / 10), steps }),
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
    order.sort((a, b) => a.example.ids.length - b.example.ids.length)
    for (let start = 0; start < order.length; start += batchSize) {
      const some = order.slice(start, start + batchSize)
      const width = Math.min(LONGEST, Math.ceil((some.at(-1)?.example.ids.length ?? 1) / 16) * 16)
      const { ids, mask } = toBatch(
        some.map(({ example }) => example),
        width,
      )
      const [idsIn, maskIn] = [ids, mask].map(({ data, shape }) => tensor(data, { shape }))
      const best = noGrad(() => model.forward(idsIn, { attentionMask: maskIn.eq(1) }).argmax(-1))
      const classes = await best.data()
      some.forEach(({ i, example }, row) => {
        const starts = example.labels.flatMap((label, at) => (label === IGNORED ? [] : [at]))
        const tags = starts.map((at) => labels[classes[row * width + at]])
        found[i] = sentences[i].words.map((_, word) => tags[word] ?? labels[0])
      })
    }
    return found
  }
}

function encoder(tokenizer: Tokenizer, labels: string[]): (sentence: Sentence) => Example {
  const known = new Map<string, number[]>()
  const piecesOf = (word: string): number[] => {
    const pieces = known.get(word) ?? tokenizer.encode(word, { addSpecialTokens: false })
    known.set(word, pieces)
    return pieces.length > 0 ? pieces : [tokenizer.unkTokenId ?? 0]
  }
  return ({ words, tags }) => {
    const example: Example = { ids: [], labels: [] }
    words.forEach((word, i) => {
      const pieces = piecesOf(word)
      example.ids.push(...pieces)
      example.labels.push(...pieces.map((_, at) => (at === 0 ? labels.indexOf(tags[i]) : IGNORED)))
    })
    return { ids: example.ids.slice(0, LONGEST), labels: example.labels.slice(0, LONGEST) }
  }
}

function toBatch(examples: readonly Example[], length: number): Batch {
  const filled = (rows: readonly number[][], filling: number): HeldInput => {
    const data = new Int32Array(rows.length * length).fill(filling)
    rows.forEach((row, i) => {
      data.set(row.slice(0, length), i * length)
    })
    return { data, shape: [rows.length, length] }
  }
  return {
    ids: filled(
      examples.map(({ ids }) => ids),
      0,
    ),
    labels: filled(
      examples.map(({ labels }) => labels),
      IGNORED,
    ),
    mask: filled(
      examples.map(({ ids }) => ids.map(() => 1)),
      0,
    ),
  }
}
