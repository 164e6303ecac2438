// Recurrent encoder-decoders, which were used for translation before the Transformer. The decoder starts with the last
// state of the encoder (Sutskever et al., 2014). With attention, it also reads all states of the encoder at each step
// (Bahdanau et al., 2015).
// B batch, S source tokens, T target tokens, E embedding, H hidden size, V vocabulary
// L layers, N tensors per state (2 for LSTM: h and c)
import {
  AdditiveAttention,
  DotAttention,
  Dropout,
  Embedding,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  MLPAttention,
  Module,
  offerAttention,
  type RecurrentCell,
  type RecurrentState,
  RNN,
  RNNCell,
  type StateAttention,
} from '../../nn/index.ts'
import { cat, type Tensor } from '../../tensor/index.ts'
import { HeedError } from '../../util/errors.ts'
import { defineModel } from '../definition.ts'
import { type DecodeOptions, type Seq2SeqFamily, seq2seqLM } from '../heads/seq2seq-lm.ts'
import { seq2seqTokenizer } from '../shared/tokenizers.ts'
import { RecurrentCache } from './seq2seq_rnn-cache.ts'
import { type Seq2SeqRNNConfig, seq2seqRNNFormat } from './seq2seq_rnn-config.ts'

export type { Seq2SeqRNNConfig } from './seq2seq_rnn-config.ts'

const networks = { rnn: RNN, lstm: LSTM, gru: GRU }
const cells = { rnn: RNNCell, lstm: LSTMCell, gru: GRUCell }

class Encoder extends Module<Seq2SeqRNNConfig> {
  embed_tokens: Embedding
  rnn: RNN | LSTM | GRU
  dropout = new Dropout(this.config.dropout)

  constructor(config: Seq2SeqRNNConfig, embedding: Embedding) {
    super(config)
    const { cell_type, embedding_size, hidden_size, num_hidden_layers, bidirectional, dropout } = config // biome-ignore format: one line
    this.embed_tokens = embedding
    const width = bidirectional ? hidden_size / 2 : hidden_size
    const options = { numLayers: num_hidden_layers, batchFirst: true, bidirectional, dropout }
    this.rnn = new networks[cell_type](embedding_size, width, options)
  }

  /** Encodes ids (B, S) to (B, L·N + S, H): the decoder's initial state and, for attention, the state of each token. */
  forward(ids: Tensor, attentionMask?: Tensor): Tensor {
    const lengths = attentionMask?.to('i32').sum(1) // padding must be on the right
    const x = this.dropout.forward(embedded(this, ids)) // (B, S, E)
    const { output, state } = this.rnn.forward(x, { lengths })
    const first = cat(
      state.map((tensor) => this.joinDirections(tensor)),
      1,
    ) // (B, L·N, H)
    return this.config.attention_type === 'none' ? first : cat([first, output], 1)
  }

  /** Joins the states of both directions: (L·D, B, H/D) -> (B, L, H). */
  private joinDirections(state: Tensor): Tensor {
    const [rows, batch] = state.shape
    const layers = this.config.num_hidden_layers
    return state
      .reshape(layers, rows / layers, batch, -1)
      .permute(2, 0, 1, 3)
      .reshape(batch, layers, this.config.hidden_size)
  }
}

/** The source in the form that attention needs. */
interface AttendedSource {
  states: Tensor // (B, S, H)
  projected: Tensor
  mask?: Tensor
}

class Decoder extends Module<Seq2SeqRNNConfig> {
  embed_tokens: Embedding
  layers = Array.from({ length: this.config.num_hidden_layers }, (_, i): RecurrentCell => {
    const { cell_type, embedding_size, hidden_size } = this.config
    return new cells[cell_type](i === 0 ? embedding_size : hidden_size, hidden_size)
  })
  attention = makeAttention(this.config)
  /** Projects the context to an additional input of the first layer. */
  context_proj = this.attention
    ? new Linear(this.config.hidden_size, this.layers[0].gates * this.config.hidden_size, {
        bias: false,
      })
    : null
  readout = new Linear(
    this.config.hidden_size * (this.attention ? 2 : 1),
    this.config.embedding_size,
  )
  dropout = new Dropout(this.config.dropout)

  constructor(config: Seq2SeqRNNConfig, embedding: Embedding) {
    super(config)
    this.embed_tokens = embedding
  }

  /** Computes (B, T, E) from ids (B, T), close to the embedding of the most likely next token. */
  forward(ids: Tensor, { encoded, encodedMask, cache }: DecodeOptions): Tensor {
    const memory = cache ? recurrent(cache) : null
    if (encoded) memory?.setSource(encoded)
    const read = encoded ?? memory?.encoded
    if (!read) throw noSource()
    const count = stateRows(this)
    const source = this.attention
      ? this.sourceOf(read.narrow(1, count, read.shape[1] - count), encodedMask)
      : null
    let states = this.unpack(memory && !encoded ? memory.state : read.narrow(1, 0, count))
    const x = this.dropout.forward(embedded(this, ids)) // (B, T, E)
    const inputs = this.layers[0].project(x).unbind(1) // T x (B, G·H)
    const outputs: Tensor[] = []
    const weights: Tensor[] = []
    for (const input of inputs) {
      const attended = source && this.attend(states, source)
      if (attended) weights.push(attended.weights)
      states = this.step(attended ? input.add(attended.input) : input, states)
      const top = states[states.length - 1][0] // (B, H)
      outputs.push((attended ? cat([top, attended.context], 1) : top).unsqueeze(1))
    }
    memory?.setState(this.pack(states))
    if (source) offerAttention(() => cat(weights, 1).unsqueeze(1)) // (B, 1, T, S)
    return this.dropout.forward(this.readout.forward(cat(outputs, 1)).tanh())
  }

  private step(input: Tensor, states: RecurrentState[]): RecurrentState[] {
    const next: RecurrentState[] = []
    for (const [i, layer] of this.layers.entries()) {
      const x = i === 0 ? input : layer.project(this.dropout.forward(next[i - 1][0]))
      next.push(layer.step(x, states[i]))
    }
    return next
  }

  private sourceOf(states: Tensor, mask?: Tensor): AttendedSource {
    return { states, mask, projected: (this.attention as StateAttention).project(states) }
  }

  /**
   * Attends with the state of the top layer as the query. The projected context is added to the first layer's input.
   */
  private attend(states: RecurrentState[], source: AttendedSource) {
    const query = states[states.length - 1][0].unsqueeze(1) // (B, 1, H)
    const { states: keys, ...options } = source
    const { context, weights } = (this.attention as StateAttention).forward(query, keys, options)
    const row = context.squeeze(1) // (B, H)
    return { context: row, weights, input: (this.context_proj as Linear).forward(row) }
  }

  /** Splits (B, N·L, H) into N tensors (B, H) per layer. */
  private unpack(packed: Tensor): RecurrentState[] {
    const rows = packed.unbind(1)
    const { length } = this.layers
    return this.layers.map((_, i) => rows.filter((_, row) => row % length === i))
  }

  private pack(states: readonly RecurrentState[]): Tensor {
    const rows = states[0].flatMap((_, k) => states.map((state) => state[k].unsqueeze(1)))
    return cat(rows, 1)
  }
}

class EncoderDecoder extends Module<Seq2SeqRNNConfig> {
  shared = this.config.share_encoder_decoder_embeddings ? embedding(this.config) : null
  encoder = new Encoder(this.config, this.shared ?? embedding(this.config))
  decoder = new Decoder(this.config, this.shared ?? embedding(this.config))

  forward(ids: Tensor, decoderIds: Tensor): Tensor {
    return this.decoder.forward(decoderIds, { encoded: this.encoder.forward(ids) })
  }
}

const family: Seq2SeqFamily<Seq2SeqRNNConfig, EncoderDecoder, 'model'> = {
  modelType: 'seq2seq_rnn',
  title: 'Seq2SeqRNN',
  config: seq2seqRNNFormat,
  Stack: EncoderDecoder,
  prefix: 'model',
  names: { width: 'hidden_size', layers: ['decoder.layers'], embeddings: 'encoder.embed_tokens' },
  contextLength: ({ max_position_embeddings }) => max_position_embeddings,
  targetVocabSize: ({ vocab_size }) => vocab_size,
  createCache: ({ config, stack }, size) =>
    new RecurrentCache({
      ...size,
      rows: stateRows(stack.decoder),
      states: config.attention_type === 'none' ? 0 : size.sourceLength,
      hiddenSize: config.hidden_size,
    }),
}

/** Recurrent encoder-decoder for translation. Padding must be on the right. The encoded source is (B, L·N + S, H). */
export class Seq2SeqRNN extends seq2seqLM(family, {
  architectures: 'Seq2SeqRNN',
  layers: (config, { stack }) => ({
    /** Output of the decoder to logits, `embedding_size` to V features. */
    lm_head: new Linear(config.embedding_size, config.vocab_size, {
      std: config.init_std,
      weight: config.tie_word_embeddings ? stack.decoder.embed_tokens.weight : undefined,
    }),
  }),
  logits: ({ lm_head }, states) => lm_head.forward(states),
}) {}

/** Definition of the family of recurrent encoder-decoders. */
export const seq2seqRNN = defineModel({
  ...family,
  paper:
    'Bahdanau et al. (2015). Neural Machine Translation by Jointly Learning to Align and Translate',
  otherNames: [],
  heads: [Seq2SeqRNN],
  sizes: ({ layers, dim, context }) => ({
    max_position_embeddings: context,
    embedding_size: dim,
    hidden_size: dim,
    num_hidden_layers: layers,
  }),
  dropout: ['dropout'],
  tokenizer: seq2seqTokenizer,
  image: null,
  task: 'translation',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: null,
  presets: {},
})

/** Number of rows of the decoder's state: one per state tensor and layer. */
const stateRows = ({ layers }: Decoder): number => layers.length * layers[0].states

const embedding = ({
  vocab_size,
  embedding_size,
  init_std,
  pad_token_id,
}: Seq2SeqRNNConfig): Embedding =>
  // biome-ignore format: one line
  new Embedding(vocab_size, embedding_size, { std: init_std, paddingIndex: pad_token_id })

/** Embeddings, scaled to the magnitude of the states. Their weight, which the output layer may share, is small. */
function embedded({ config, embed_tokens }: Encoder | Decoder, ids: Tensor): Tensor {
  const x = embed_tokens.forward(ids)
  return config.scale_embedding ? x.mul(Math.sqrt(config.embedding_size)) : x
}

function makeAttention({
  attention_type,
  hidden_size: size,
}: Seq2SeqRNNConfig): StateAttention | null {
  if (attention_type === 'additive') return new AdditiveAttention(size, size)
  if (attention_type === 'mlp') return new MLPAttention(size, size)
  return attention_type === 'dot' ? new DotAttention(size, { keySize: size }) : null
}

function recurrent(cache: DecodeOptions['cache']): RecurrentCache {
  if (cache instanceof RecurrentCache) return cache
  throw new HeedError(
    'invalid-option',
    '`cache` must have been created by createCache() of this model, got the cache of another model',
    { key: 'cache', remedy: 'Call createCache() of this model.' },
  )
}

const noSource = (): HeedError =>
  new HeedError(
    'invalid-option',
    '`encoded` must be the encoded source in the first call, got undefined',
    { key: 'encoded', remedy: 'Pass the result of encode(), or a cache that was used with it.' },
  )
