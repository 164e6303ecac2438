// Marian (Junczys-Dowmunt et al., 2018): the Transformer of Vaswani et al. (2017). OPUS-MT has published models for
// many language pairs.
import { EncoderDecoderCache, Linear } from '../../nn/index.ts'
import { Parameter, type Tensor, zeros } from '../../tensor/index.ts'
import { defineModel } from '../definition.ts'
import { causalLM, type OutputLayer } from '../heads/causal-lm.ts'
import { type Seq2SeqFamily, seq2seqLM } from '../heads/seq2seq-lm.ts'
import type { DecoderFamily } from '../shared/family.ts'
import { seq2seqTokenizer } from '../shared/tokenizers.ts'
import { type MarianConfig, marianFormat, targetVocabSize } from './marian-config.ts'
import { DecoderOnly, EncoderDecoder } from './marian-layers.ts'

export type { MarianConfig } from './marian-config.ts'

const shared = {
  modelType: 'marian',
  title: 'Marian',
  config: marianFormat,
  prefix: 'model',
  contextLength: ({ max_position_embeddings }: MarianConfig) => max_position_embeddings,
  ignoredKeys: /\.embed_positions\.weight$/, // sinusoids, which some checkpoints contain
} as const

const family: Seq2SeqFamily<MarianConfig, EncoderDecoder, 'model'> = {
  ...shared,
  Stack: EncoderDecoder,
  names: {
    width: 'd_model',
    layers: ['encoder.layers', 'decoder.layers'],
    embeddings: 'encoder.embed_tokens',
  },
  targetVocabSize,
  createCache: ({ config }, size) => {
    const { decoder_layers: layers, decoder_attention_heads: heads, d_model } = config
    return new EncoderDecoderCache({ layers, heads, headDim: d_model / heads, ...size })
  },
}

const decoderFamily: DecoderFamily<MarianConfig, DecoderOnly, 'model'> = {
  ...shared,
  Stack: DecoderOnly,
  names: {
    width: 'd_model',
    layers: ['decoder.layers'],
    embeddings: 'decoder.embed_tokens',
    required: ['decoder'],
  },
  cache: ({ decoder_layers: layers, decoder_attention_heads: heads, d_model }) => ({
    layers,
    heads,
    headDim: d_model / heads,
  }),
  renamedKeys: [[/^model\.shared\./, 'model.decoder.embed_tokens.']], // in encoder-decoder checkpoints
}

/** Marian for translation. */
export class Marian extends seq2seqLM(family, {
  architectures: 'MarianMTModel',
  layers: (config, { stack }) => ({
    /** Added to the logits, f32 (1, V). Not trained. */
    final_logits_bias: fixed(zeros([1, targetVocabSize(config)])),
    /** Hidden states to logits, C to V features. */
    lm_head: new Linear(config.d_model, targetVocabSize(config), {
      bias: false,
      std: config.init_std,
      weight: config.tie_word_embeddings ? stack.decoder.embed_tokens.weight : undefined,
    }),
  }),
  logits: ({ lm_head, final_logits_bias }, states) =>
    lm_head.forward(states).add(final_logits_bias),
}) {}

/** Marian's decoder as a causal language model. */
export class MarianForCausalLM extends causalLM(decoderFamily, 'MarianForCausalLM', {
  layers: (config, { embeddings }) => ({
    /** Hidden states to logits, C to V features. */
    lm_head: new Linear(config.d_model, config.vocab_size, {
      bias: false,
      std: config.init_std,
      weight: config.tie_word_embeddings ? embeddings().weight : undefined,
    }),
  }),
  logits: ({ lm_head }: OutputLayer, states) => lm_head.forward(states),
}) {}

/** Definition of the Marian family. */
export const marian = defineModel({
  ...family,
  paper: 'Junczys-Dowmunt et al. (2018). Marian: Fast Neural Machine Translation in C++',
  otherNames: [],
  heads: [Marian, MarianForCausalLM],
  sizes: ({ layers, heads, dim, context }) => ({
    max_position_embeddings: context,
    d_model: dim,
    encoder_layers: layers,
    decoder_layers: layers,
    encoder_attention_heads: heads,
    decoder_attention_heads: heads,
    encoder_ffn_dim: 4 * dim,
    decoder_ffn_dim: 4 * dim,
    scale_embedding: true,
    init_std: dim ** -0.5, // scaled by √dim, embeddings have the same magnitude as positions
  }),
  dropout: ['dropout'],
  tokenizer: seq2seqTokenizer,
  image: null,
  task: 'translation',
  maskedLanguageModeling: null,
  gguf: null,
  adapterTargets: {
    lora: ['q_proj', 'v_proj'],
    ia3: ['k_proj', 'v_proj'],
    feedForward: ['fc2'],
    blocks: {
      attention: ['self_attn.out_proj', 'encoder_attn.out_proj'],
      feedForward: ['fc1', 'fc2'],
    },
  },
  presets: {},
})

/** A parameter that is saved but not trained. */
function fixed(values: Tensor): Parameter {
  const parameter = new Parameter(values)
  parameter.requiresGrad = false
  return parameter
}
