// Sentence embeddings: texts with similar meaning get vectors that are close to each other (Reimers and Gurevych, 2019).
import type { Module } from '../nn/index.ts'
import { pool, poolings } from '../nn/index.ts'
import { arange, cat, F, type Held, hold, noGrad, type Tensor } from '../tensor/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { argumentKinds } from '../util/argument-kinds.ts'
import { checkArgument, wrongArgument } from '../util/check-argument.ts'
import { alternatives, HeedError, invalidOption } from '../util/errors.ts'
import { optionKinds, ruleOf } from '../util/options.ts'
import { roomFor } from '../util/room-for.ts'
import { warn } from '../util/warn.ts'
import { checkHead } from './check-head.ts'
import type { TextEncoder } from './heads/text-model.ts'
import { ADAPTED, type AdaptedModelOptions, savePretrained } from './pretrained.ts'
import { fromPretrained } from './registry.ts'
import { readSentenceConfig, type SentenceConfig, writeSentenceConfig } from './sentence-config.ts'

// B texts, T tokens, C width

/** Options of `SentenceEncoder.embed`. */
export interface EmbedOptions {
  /** Number of texts per batch. Default 16. In larger batches, shorter texts get more padding. */
  batchSize?: number
  /** Name of a prompt in the config, prepended to each text. Default: the default prompt of the config, if any. */
  promptName?: string
}

const SENTENCE = optionKinds<SentenceConfig>({
  pooling: 'texts',
  normalize: 'flag',
  maxTokens: 'size?',
  lowerCase: 'flag?',
  prompts: 'textRecord?',
  defaultPrompt: 'text?',
  includePrompt: 'flag?',
})

const checkEmbed = argumentKinds('SentenceEncoder.embed', {
  texts: 'texts',
  options: optionKinds<EmbedOptions>({
    batchSize: { ...ruleOf('size?'), try: [16] },
    promptName: 'text?',
  }),
})

const checkFromPretrained = argumentKinds('SentenceEncoder.fromPretrained', {
  dir: 'text',
  options: optionKinds<AdaptedModelOptions>(ADAPTED),
})

/** A sentence encoder: a model, its tokenizer and pooling, as in a folder of sentence-transformers. */
export class SentenceEncoder {
  /** The encoder, which returns hidden states. */
  readonly model: TextEncoder
  /** The tokenizer of the encoder. */
  readonly tokenizer: Tokenizer
  /** Pooling and normalisation. */
  readonly config: SentenceConfig
  /** Maximum number of tokens. Longer texts are truncated. */
  readonly maxTokens: number
  private readonly run: Held

  /**
   * Combines a model and its tokenizer. Default: the mean of the hidden states, with length 1.
   * @throws HeedError for a model with a head, unknown kinds of pooling, and a tokenizer with more tokens than the
   * model
   */
  constructor(
    model: TextEncoder,
    tokenizer: Tokenizer,
    config: SentenceConfig = { pooling: ['mean'], normalize: true },
  ) {
    checkHead('SentenceEncoder', model, 'encoder')
    checkArgument('SentenceEncoder', 'tokenizer', tokenizer, 'tokenizer')
    SENTENCE.check('SentenceEncoder', config)
    if (config.pooling.length === 0 || !config.pooling.every((way) => poolings.includes(way)))
      throw wrongArgument(
        'SentenceEncoder',
        'pooling',
        config.pooling,
        `one or more of ${alternatives(poolings)}`,
      )
    if (tokenizer.vocabSize > model.vocabSize)
      throw new HeedError(
        'invalid-config',
        `The tokenizer must have at most as many tokens as the model (${model.vocabSize}), got ${tokenizer.vocabSize}`,
        { remedy: 'Check that tokenizer.json belongs to this model.' },
      )
    this.model = model
    this.tokenizer = tokenizer
    this.config = config
    const told = config.maxTokens ?? tokenizer.config.model_max_length ?? model.contextLength
    this.maxTokens = Math.min(told, model.contextLength)
    this.run = hold((ids, lengths, skipped) => {
      const { training } = model // the program is always built in evaluation mode
      model.eval()
      try {
        const places = arange(ids.shape[1])
        const mask = places.lt(lengths.unsqueeze(1)) // (B, T)
        const pooled = config.includePrompt === false ? mask.logicalAnd(places.ge(skipped)) : mask
        return [noGrad(() => this.forward(ids, mask, pooled))]
      } finally {
        model.train(training)
      }
    })
  }

  /**
   * Loads a sentence encoder from a folder or GGUF file. Without files of sentence-transformers, it warns and uses mean
   * pooling.
   * @param options adapters to attach, and the base of an adapter that has moved
   */
  static async fromPretrained(
    dir: string,
    options: AdaptedModelOptions = {},
  ): Promise<SentenceEncoder> {
    checkFromPretrained(dir, options)
    const { config, modelDir, isTrained } = await readSentenceConfig(dir)
    if (!isTrained)
      warn(
        `${dir} has no files of sentence-transformers. Its vectors are means over tokens; they rank texts by meaning only if the model was trained to, with the task feature-extraction.`,
      )
    const model = await fromPretrained(modelDir, 'encoder', options)
    return new SentenceEncoder(model, await Tokenizer.fromFile(modelDir), config)
  }

  /** Number of elements of a vector. */
  get dimension(): number {
    return this.model.hiddenSize * this.config.pooling.length
  }

  /**
   * Computes vectors (B, dimension) from ids i32 (B, T) and mask bool (B, T), which is true for tokens.
   * @param pooled tokens to include in pooling, for example without the prompt. Default: all tokens
   */
  forward(ids: Tensor, mask: Tensor, pooled = mask): Tensor {
    const states = this.model.forward(ids, { attentionMask: mask })
    const parts = this.config.pooling.map((way) => pool(states, pooled, way, mask))
    const vectors = parts.length === 1 ? parts[0] : cat(parts, -1)
    return this.config.normalize ? F.normalize(vectors, { axis: -1 }) : vectors
  }

  /**
   * Embeds texts. Returns one vector per text, in the same order. Texts of similar length are batched and padded to one
   * of a few lengths, so that few programs are compiled.
   * @throws HeedError for an unknown prompt
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    checkEmbed(texts, options)
    const { batchSize = 16, promptName } = options
    const prompt = this.promptOf(promptName)
    const encoded = texts.map((text) => this.encode(prompt + text))
    const skipped = this.config.includePrompt === false ? this.lengthOf(prompt) : 0
    const order = encoded.map((_, i) => i).sort((a, b) => encoded[b].length - encoded[a].length)
    const vectors: Float32Array[] = new Array(texts.length)
    const reads: Promise<void>[] = []
    for (let start = 0; start < order.length; start += batchSize) {
      const batch = order.slice(start, start + batchSize)
      const rows = Math.min(batchSize, 2 ** Math.ceil(Math.log2(batch.length)))
      const result = await this.start(
        batch.map((i) => encoded[i]),
        rows,
        skipped,
      )
      reads.push(this.deal(result, batch, vectors))
    }
    await Promise.all(reads)
    return vectors
  }

  /** Saves the model, the tokenizer and the files of sentence-transformers. */
  async save(dir: string): Promise<void> {
    await savePretrained(this.model as Module, dir, { tokenizer: this.tokenizer })
    await this.saveSettings(dir)
  }

  /** Saves only the files of sentence-transformers, for a model that is saved separately. */
  async saveSettings(dir: string): Promise<void> {
    const config = { ...this.config, maxTokens: this.maxTokens }
    await writeSentenceConfig(dir, config, this.model.hiddenSize)
  }

  private promptOf(name = this.config.defaultPrompt): string {
    const { prompts = {} } = this.config
    if (name === undefined) return ''
    if (Object.hasOwn(prompts, name)) return prompts[name]
    const names = Object.keys(prompts)
    throw invalidOption({
      key: 'promptName',
      value: name,
      expected:
        names.length > 0 ? `one of ${names.join(', ')}` : 'omitted for a model without prompts',
      remedy: names.length > 0 ? 'Choose one of them.' : 'Prepend the prompt to each text.',
    })
  }

  /** Number of tokens of a prompt, without a special token at its end. */
  private lengthOf(prompt: string): number {
    if (prompt === '') return 0
    const ids = this.encode(prompt)
    const end = ids.at(-1)
    return end !== undefined && this.tokenizer.isSpecial(end) ? ids.length - 1 : ids.length
  }

  private encode(text: string): number[] {
    const given = this.config.lowerCase ? text.toLowerCase() : text
    const ids = this.tokenizer.encode(given)
    if (ids.length <= this.maxTokens) return ids
    return this.tokenizer.encodeWithOffsets(given, { maxLength: this.maxTokens }).ids
  }

  /** Starts a batch. Unused rows have length 1 and their results are ignored. */
  private async start(texts: readonly number[][], rows: number, skipped: number): Promise<Tensor> {
    const longest = texts.reduce((most, { length }) => Math.max(most, length), 1)
    const width = Math.min(Math.max(8, roomFor(longest, 4)), this.model.contextLength)
    const ids = new Int32Array(rows * width).fill(this.tokenizer.padTokenId ?? 0)
    const lengths = new Int32Array(rows).fill(1)
    texts.forEach((text, row) => {
      ids.set(text, row * width)
      lengths[row] = Math.max(1, text.length)
    })
    const [vectors] = await this.run(
      { data: ids, shape: [rows, width] },
      { data: lengths, shape: [rows] },
      { data: Int32Array.of(skipped), shape: [1] },
    )
    return vectors
  }

  private async deal(result: Tensor, batch: number[], vectors: Float32Array[]): Promise<void> {
    const numbers = (await result.data()) as Float32Array
    const width = this.dimension
    batch.forEach((text, row) => {
      vectors[text] = numbers.slice(row * width, (row + 1) * width)
    })
  }
}
