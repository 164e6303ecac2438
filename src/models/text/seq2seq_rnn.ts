// Translation before the Transformer: one recurrent network reads, another writes. It starts from the
// reader's last state (Sutskever et al., 2014); with attention it looks at all of the reader's states
// before each token, too (Bahdanau et al., 2015).
// B batch, S source tokens, T target tokens, E embedding, H hidden size, V vocabulary
// L layers, N tensors of a state (2 for LSTM: h and c)
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
import {
  type CacheRoom,
  checkIds,
  type DecodeOptions,
  EncoderDecoder,
  type Seq2SeqOptions,
} from '../heads/seq2seq-lm.ts'
import { RecurrentCache } from './seq2seq_rnn-cache.ts'
import { type Seq2SeqRNNConfig, seq2SeqRNNConfig } from './seq2seq_rnn-config.ts'

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

  /** ids (B, S) -> (B, L·N + S, H): the decoder's first state, then, for attention, each token's. */
  forward(ids: Tensor, attentionMask?: Tensor): Tensor {
    const lengths = attentionMask?.to('i32').sum(1) // padding lies behind
    const x = this.dropout.forward(embedded(this, ids)) // (B, S, E)
    const { output, state } = this.rnn.forward(x, { lengths })
    const first = cat(
      state.map((part) => this.sideBySide(part)),
      1,
    ) // (B, L·N, H)
    return this.config.attention_type === 'none' ? first : cat([first, output], 1)
  }

  /** (L·D, B, H/D) -> (B, L, H). */
  private sideBySide(state: Tensor): Tensor {
    const [rows, batch] = state.shape
    const layers = this.config.num_hidden_layers
    return state
      .reshape(layers, rows / layers, batch, -1)
      .permute(2, 0, 1, 3)
      .reshape(batch, layers, this.config.hidden_size)
  }
}

/** What the decoder sees of the source. */
interface Source {
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
  /** The context's part of the first layer's input. */
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

  /** ids (B, T) -> (B, T, E), what the likeliest next token's embedding is near to. */
  forward(ids: Tensor, { encoded, encodedMask, cache }: DecodeOptions): Tensor {
    const own = cache ? recurrent(cache) : null
    const count = this.layers.length * this.layers[0].states
    if (encoded) own?.hold(encoded)
    const held = encoded ?? own?.held
    if (!held)
      throw new HeedError('invalid-config', 'The decoder has no source', {
        remedy: 'Give what encode() returned as `encoded`, or a cache that has held it before.',
      })
    const source = this.attention
      ? this.sourceOf(held.narrow(1, count, held.shape[1] - count), encodedMask)
      : null
    let states = this.unpack(own && !encoded ? own.state : held.narrow(1, 0, count))
    const x = this.dropout.forward(embedded(this, ids)) // (B, T, E)
    const inputs = this.layers[0].project(x).unbind(1) // T x (B, G·H)
    const outputs: Tensor[] = []
    const weights: Tensor[] = []
    for (const input of inputs) {
      const seen = source && this.look(states, source)
      if (seen) weights.push(seen.weights)
      states = this.step(seen ? input.add(seen.input) : input, states)
      const top = states[states.length - 1][0] // (B, H)
      outputs.push((seen ? cat([top, seen.context], 1) : top).unsqueeze(1))
    }
    own?.goOn(this.pack(states))
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

  private sourceOf(states: Tensor, mask?: Tensor): Source {
    return { states, mask, projected: (this.attention as StateAttention).project(states) }
  }

  /** The top layer's state asks; what is seen becomes part of the first layer's input. */
  private look(states: RecurrentState[], { states: seen, mask, projected }: Source) {
    const query = states[states.length - 1][0].unsqueeze(1) // (B, 1, H)
    const found = (this.attention as StateAttention).forward(query, seen, { mask, projected })
    const context = found.context.squeeze(1) // (B, H)
    return {
      context,
      weights: found.weights,
      input: (this.context_proj as Linear).forward(context),
    }
  }

  /** (B, N·L, H) -> for each layer its N tensors (B, H). */
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

class Both extends Module<Seq2SeqRNNConfig> {
  shared = this.config.share_encoder_decoder_embeddings ? embedding(this.config) : null
  encoder = new Encoder(this.config, this.shared ?? embedding(this.config))
  decoder = new Decoder(this.config, this.shared ?? embedding(this.config))

  forward(ids: Tensor, decoderIds: Tensor): Tensor {
    return this.decoder.forward(decoderIds, { encoded: this.encoder.forward(ids) })
  }
}

export class Seq2SeqRNN extends EncoderDecoder<Seq2SeqRNNConfig> {
  static readonly modelType = 'seq2seq_rnn'
  static readonly architectures = ['Seq2SeqRNN']
  static readonly head = 'seq2seq-lm'

  model = new Both(this.config)
  lm_head = new Linear(this.config.embedding_size, this.config.vocab_size, {
    std: this.config.init_std,
    weight: this.config.tie_word_embeddings ? this.model.decoder.embed_tokens.weight : undefined,
  })

  constructor(config: Partial<Seq2SeqRNNConfig> = {}) {
    super(seq2SeqRNNConfig(config))
  }

  get contextLength(): number {
    return this.config.max_position_embeddings
  }

  get vocabSize(): number {
    return this.config.vocab_size
  }

  get padTokenId(): number {
    return this.config.pad_token_id
  }

  get decoderStartTokenId(): number {
    return this.config.decoder_start_token_id
  }

  /** ids (B, S) i32, padded behind -> (B, L·N + S, H): the decoder's first state, then each token's. */
  encode(ids: Tensor, { attentionMask }: Seq2SeqOptions = {}): Tensor {
    checkIds(ids, this.contextLength, 'Seq2SeqRNN')
    return this.model.encoder.forward(ids, attentionMask)
  }

  /** ids (B, T) i32, padded behind -> logits (B, T, V) of the token after each. */
  decode(ids: Tensor, { logitsAt, ...options }: DecodeOptions): Tensor {
    checkIds(ids, this.contextLength, 'Seq2SeqRNN', options.cache?.length)
    const x = this.model.decoder.forward(ids, options)
    return this.lm_head.forward(logitsAt ? x.take(logitsAt, 1) : x)
  }

  createCache(room: CacheRoom): RecurrentCache {
    const { hidden_size, attention_type } = this.config
    const { layers } = this.model.decoder
    const rows = layers.length * layers[0].states
    const states = attention_type === 'none' ? 0 : room.sourceLength
    return new RecurrentCache({ ...room, rows, states, hiddenSize: hidden_size })
  }
}

const embedding = ({
  vocab_size,
  embedding_size,
  init_std,
  pad_token_id,
}: Seq2SeqRNNConfig): Embedding =>
  // biome-ignore format: one line
  new Embedding(vocab_size, embedding_size, { std: init_std, paddingIndex: pad_token_id })

/** As large as the states are, though what the output shares with it is small. */
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
  throw new HeedError('invalid-config', 'The cache is of another kind of model', {
    remedy: "Take what this model's createCache() returns.",
  })
}
