// `heed/generate`.

import * as generate from '../../../src/generate/index.ts'
import * as heed from '../../../src/index.ts'
import { GPT2, T5ForConditionalGeneration } from '../../../src/models/index.ts'
import { Tokenizer, trainTokenizer, withChatTemplate } from '../../../src/tokenizers/index.ts'
import { type Argument, arg, methodsOf, type Sample, samplesOf } from './damage.ts'

heed.manualSeed(1)
const tokenizer = trainTokenizer(['to be or not to be ""'], { type: 'char' })
const vocab_size = tokenizer.vocabSize
const gpt2 = new GPT2({ vocab_size, n_embd: 8, n_layer: 1, n_head: 1, n_positions: 32 }).eval()
const t5 = new T5ForConditionalGeneration({
  vocab_size,
  d_model: 8,
  d_kv: 8,
  d_ff: 8,
  num_layers: 1,
  num_decoder_layers: 1,
  num_heads: 1,
  decoder_start_token_id: 0,
}).eval()

const model: Argument = { value: gpt2, wrong: [undefined, null, 3, 'x', {}, t5] }
const seq2seq: Argument = { value: t5, wrong: [undefined, null, 3, 'x', {}, gpt2] }
const words: Argument = { value: tokenizer, wrong: [undefined, null, 3, 'x', {}] }
const prompt: Argument = { value: 'to', wrong: [undefined, null, 3, {}, ['x'], [], [-1], [1.5]] }
const prompts: Argument = { value: ['to', 'be'], wrong: [undefined, null, 3, 'x', {}, [3]] }
const ids: Argument = { value: [1, 2], wrong: [undefined, null, 3, 'x', {}, ['x'], [-1], [1e6]] }
const rows: Argument = { value: [[1], [2]], wrong: [undefined, null, 3, 'x', {}, [3], [['x']], []] }
const settings = { maxTokens: 2 }
const options: Argument = {
  value: settings,
  wrong: [
    null,
    3,
    'x',
    true,
    [1],
    { maxToken: 2 },
    { max_new_tokens: 2 },
    { maxTokens: 'x' },
    { maxTokens: Number.NaN },
    { maxTokens: -1 },
    { ...settings, temperature: 'x' },
    { ...settings, temperature: Number.NaN },
    { ...settings, topP: 2 },
    { ...settings, stopTokens: 3 },
    { ...settings, processors: {} },
    { ...settings, generationConfig: 3 },
    { ...settings, generationConfig: { top_kk: 3 } },
    { ...settings, generationConfig: { top_k: 'x' } },
  ],
}
const beams: Argument = {
  value: { ...settings, beams: 2 },
  wrong: [null, 3, 'x', [1], { beam: 2 }, { beams: 'x' }, { beams: 0 }, { beams: Number.NaN }],
}
const tokens: Argument = { value: [1], wrong: [undefined, null, 'x', {}, ['x'], [-1], [1.5]] }
const factor: Argument = { value: 1.5, wrong: [undefined, null, 'x', {}, Number.NaN] }
const steps = () => new generate.BatchDecoder(gpt2, settings)
const stepModel: Argument = { value: steps(), wrong: [undefined, null, 3, 'x', {}] }

export const functions: Record<string, readonly Argument[]> = {
  BatchDecoder: [
    model,
    { value: settings, wrong: [null, 3, 'x', { maxToken: 2 }, { maxTokens: 'x' }, { maxTokens: 2, sharePrefix: 1 }] }, // biome-ignore format: one line
  ],
  Rollouts: [
    model,
    {
      value: settings,
      wrong: [null, 3, 'x', { maxToken: 2 }, { maxTokens: 'x' }, { maxTokens: 2, temperature: 0 }],
    },
  ],
  Chat: [
    model,
    words,
    {
      value: { system: 'a' },
      wrong: [null, 3, 'x', { sistem: 'a' }, { system: 3 }, { contextLength: 'x' }],
    },
  ],
  Decoder: [model, { value: 8, wrong: [null, 'x', 1, 1.5, {}] }],
  DraftModel: [model, { value: {}, wrong: [null, 3, 'x', { token: 3 }, { tokens: 0 }] }],
  Judge: [
    model,
    words,
    {
      value: { attributes: ['safe'] },
      wrong: [null, 3, 'x', { attribute: ['safe'] }, { attributes: 'safe' }, { attributes: ['save'] }, { attributes: [] }, { batchSize: 0 }], // biome-ignore format: one line
    },
  ],
  rankResponses: [
    { value: [{ sensible: 1 }], wrong: [undefined, null, 3, 'x', {}, [3]] },
    { value: {}, wrong: [null, 3, 'x', { safe: 0.5 }, { safety: 'x' }, { safety: 2 }] },
  ],
  PromptLookup: [{ value: {}, wrong: [null, 3, 'x', { token: 3 }, { ngram: 0 }] }],
  Seq2SeqDecoder: [seq2seq],
  badWords: [{ value: [[1]], wrong: [undefined, null, 3, 'x', {}, [1], [[]], [['x']]] }],
  beamSearch: [stepModel, rows, beams],
  continueBatch: [model, words, rows, options],
  createSampler: [{ value: {}, wrong: [null, 3, 'x', { topk: 1 }, { topK: 'x' }, { topK: -1 }] }],
  decayLength: [arg.size(1), factor, tokens],
  forceBegin: [{ value: 1, wrong: [undefined, null, 'x', -1, 1.5] }],
  forceEnd: [arg.size(1), { ...tokens, wrong: [undefined, null, 'x', {}, [-1]] }],
  forceTokens: [tokens],
  frequencyPenalty: [factor],
  generate: [model, words, prompt, options],
  generateBatch: [model, words, prompts, options],
  generateBeams: [model, words, prompt, beams],
  generateSeq2Seq: [seq2seq, rows, options],
  generateSeq2SeqText: [seq2seq, words, ids, options],
  generateSeq2SeqTexts: [seq2seq, words, rows, options],
  generateSeveral: [model, words, prompts, options],
  generateSteps: [model, ids, options],
  generateTextSteps: [model, words, prompt, options],
  generateTokens: [model, ids, options],
  generateTokensBatch: [model, rows, options],
  generationConfigOf: [
    { value: gpt2, wrong: [undefined, null, 3, 'x'] },
    { value: {}, wrong: [null, 3, 'x', { top_k: 'x' }] },
  ],
  isDrawn: [
    { value: gpt2, wrong: [undefined, null, 3, 'x'] },
    { value: {}, wrong: [null, 3, 'x'] },
  ],
  logProbabilities: [
    { value: [1, 2], wrong: [undefined, null, 3, 'x', {}, ['x']] },
    { value: 0, wrong: [undefined, null, 'x', -1, 9] },
    { value: 1, wrong: [null, 'x', -1] },
  ],
  matchJsonSchema: [
    { value: { type: 'string' }, wrong: [undefined, null, 3, 'x', { type: 'x' }] },
    words,
  ],
  matchRegex: [{ value: '[to]+', wrong: [undefined, null, 3, {}, '('] }, words],
  maxTime: [factor],
  minLength: [arg.size(1), tokens],
  minNewTokens: [arg.size(1), tokens],
  noRepeatNgrams: [arg.size(1)],
  noSourceNgrams: [arg.size(1)],
  presencePenalty: [factor],
  repetitionPenalty: [factor],
  seq2SeqBeams: [seq2seq, rows, beams],
  seq2SeqSteps: [seq2seq, ids, options],
  sequenceBias: [{ value: [[[1], 1]], wrong: [undefined, null, 3, 'x', {}, [1], [[[1], 'x']]] }],
  sourceRepetitionPenalty: [factor],
  suppressTokens: [tokens, { value: {}, wrong: [null, 3, 'x', { atStart: true }, { atBegin: 3 }] }],
  writeTokens: [
    stepModel,
    rows,
    { ...options, wrong: options.wrong.slice(0, 13) },
    { value: {}, wrong: [null, 3, { source: [] }, { endsAfter: 3 }] },
  ],
}

const withTemplate = Tokenizer.fromJSON(tokenizer.toJSON(), {
  chat_template: '{% for message in messages %}{{ message.content }}{% endfor %}',
})
const digits = await withChatTemplate(
  trainTokenizer(['user assistant: safe sensible specific interesting 01'], { type: 'char' }),
  'chatml',
)
const talker = new GPT2({ vocab_size: digits.vocabSize, n_positions: 128, n_embd: 4, n_layer: 1, n_head: 2 }) // biome-ignore format: one line
const judge = new generate.Judge(talker, digits)
const next: Argument = { value: [1], wrong: [undefined, null, 3, 'x', {}, ['x']] }
const batch = new generate.BatchDecoder(gpt2, settings)
await batch.start([[1]])
const written = new generate.Seq2SeqDecoder(t5).read([[1]])
await written.start([[1]])
const order: Argument = { value: undefined, wrong: [null, 3, 'x', {}] }

const methods: Sample[] = [
  ...methodsOf(new generate.Rollouts(gpt2, { maxTokens: 1 }), {
    write: [rows, { value: { seed: 1 }, wrong: [undefined, null, 3, 'x', { sed: 1 }, { seed: -1 }, { seed: 1, answers: 0 }] }], // biome-ignore format: one line
  }),
  ...methodsOf(new generate.Chat(gpt2, withTemplate), {
    reset: [{ value: undefined, wrong: [null, 3, {}, ['x']] }],
    say: [arg.text('to'), options],
  }),
  ...methodsOf(new generate.Chat(talker, digits), {
    sayBest: [
      arg.text('to'),
      { value: judge, wrong: [undefined, null, 3, 'x', {}] },
      { ...options, wrong: [...options.wrong, { candidates: 0 }, { safety: 2 }] },
    ],
  }),
  ...methodsOf(judge, {
    rate: [
      { value: [{ role: 'user', content: 'to' }], wrong: [undefined, null, 3, 'x', {}, [3], []] },
      { value: ['be'], wrong: [undefined, null, 3, 'x', {}, [3]] },
    ],
  }),
  ...methodsOf(new generate.Decoder(gpt2, 8), { start: [rows], next: [next], extend: [next] }),
  ...methodsOf(batch, { next: [next, order], start: [rows] }),
  ...methodsOf(written, { next: [next, order], start: [{ ...rows, value: [[1]] }] }),
  ...methodsOf(new generate.Seq2SeqDecoder(t5), { read: [rows] }),
]

export const samples: Sample[] = [...samplesOf(generate, functions), ...methods]
