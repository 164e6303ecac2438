// `heed/io`, `heed/tokenizers` and `heed/pipelines`: functions of files work in a folder of their own.
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor } from '../../../src/index.ts'
import * as io from '../../../src/io/index.ts'
import * as pipelines from '../../../src/pipelines/index.ts'
import * as tokenizers from '../../../src/tokenizers/index.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import { type Argument, arg, methodsOf, type Sample, samplesOf } from './damage.ts'

const scratch = mkdtempSync(join(tmpdir(), 'heed-wrong-calls-'))
const fixture = (name: string): string => join(FIXTURES, name)
const path = (value: string): Argument => ({
  value,
  wrong: [undefined, null, 3, {}, [], true, join(scratch, 'none')],
})
const target = (name: string): Argument => ({
  value: join(scratch, name),
  wrong: [undefined, null, 3, {}, [], true],
})

/** With `vocabSize` as one of the mistakes. */
const trainerSettings = (vocabSize: unknown): Argument => ({
  value: { type: 'char' },
  wrong: [
    undefined,
    null,
    3,
    'x',
    {},
    { type: 'q' },
    { type: 'char', vocab: 3 },
    { type: 'bpe', vocabSize },
  ],
})

export const ioFunctions: Record<string, readonly Argument[]> = {
  assertFinite: [
    { value: new Float32Array(2), wrong: [undefined, null, 3, 'x', {}] },
    arg.text('w'),
    arg.text('f'),
  ],
  isStoredDType: [arg.any('f32')],
  openGGUF: [path(fixture('gguf/llama.gguf'))],
  openSafetensors: [path(fixture('pipelines/encoder/model.safetensors'))],
  saveSafetensors: [
    target('a.safetensors'),
    { value: { x: tensor([1]) }, wrong: [undefined, null, 3, 'x', { x: 3 }, { x: {} }, [3]] },
    { value: {}, wrong: [null, 3, 'x', { meta: {} }, { maxShardBytes: 'x' }] },
  ],
  writeGGUF: [
    target('a.gguf'),
    { value: {}, wrong: [undefined, null, 3, 'x', { a: 3 }, { a: { type: 'none', value: 3 } }] },
    {
      value: [{ name: 'x', type: 'f32', shape: [1], data: new Uint8Array(4) }],
      wrong: [
        undefined,
        null,
        3,
        'x',
        {},
        [3],
        [{}],
        [{ name: 'x', type: 'Q', shape: [1], data: new Uint8Array(4) }],
      ],
    },
  ],
  writeSafetensors: [
    target('b.safetensors'),
    { value: [], wrong: [undefined, null, 3, {}, [3], [{}]] },
    { value: {}, wrong: [null, 3, 'x', { a: 3 }] },
  ],
}

/** Refused before anything is asked of the hub: no network is used. */
const wrongOnly = (wrong: readonly unknown[]): Argument => ({ value: undefined, wrong })
const pull = (...args: never[]) => io.pullModel(...(args as unknown as [string]))
const push = (...args: never[]) => io.pushModel(...(args as unknown as [string, string]))

const tokenizer = tokenizers.trainTokenizer(['to be or not'], { type: 'char' })
const [sentencePiece] = JSON.parse(
  readFileSync(fixture('tokenizers/sentencepiece.json'), 'utf8'),
).models
const aligned = new tokenizers.AlignedText('abc')
const step = { schema: tokenizers.tokenizerPattern, make: () => () => {} }
const words = ['to be or not to be', 'to bend the tobacco']
const bytes = tokenizers.trainTokenizer(words, { type: 'bpe', vocabSize: 258 })
const extensible: Argument = { value: bytes, wrong: [undefined, null, 3, 'x', {}, tokenizer] }
const extension: Argument = {
  value: { pieces: 1 },
  wrong: [undefined, null, 3, 'x', {}, { pieces: 0 }, { pieces: 'x' }, { pieces: 1, piece: 1 }],
}
export const tokenizerFunctions: Record<string, readonly Argument[]> = {
  AlignedText: [arg.text('abc')],
  TextRewriter: [{ value: aligned, wrong: [undefined, null, 3, 'x', {}] }],
  withChatTemplate: [
    { value: tokenizer, wrong: [undefined, null, 3, 'x', {}] },
    { value: 'chatml', wrong: [undefined, null, 3, {}, 'chatlm', './none.jinja'] },
  ],
  addSpecialTokens: [
    { value: tokenizer, wrong: [undefined, null, 3, 'x', {}] },
    {
      value: { names: { eos_token: '<e>' } },
      wrong: [undefined, null, 3, 'x', {}, { names: 3 }, { name: {} }],
    },
  ],
  mapCharacters: [
    { value: aligned, wrong: [undefined, null, 3, 'x', {}] },
    arg.function((character: string) => character),
  ],
  parseTokenizerSpec: [{ value: 'bpe:4096', wrong: [undefined, null, 3, {}, '', 'bpe:1'] }],
  registerTokenizerStep: [
    { value: 'normalizer', wrong: [undefined, null, 3, 'x', {}] },
    arg.text('WrongCalls'),
    { value: step, wrong: [undefined, null, 3, 'x', {}, { schema: 3, make: 3 }] },
  ],
  tokenizerFromSentencePiece: [
    {
      value: Buffer.from(sentencePiece.file, 'base64'),
      wrong: [undefined, null, 3, 'x', {}, Buffer.alloc(4)],
    },
  ],
  tokenizerFromTiktoken: [
    { value: 'YQ== 0\nYg== 1', wrong: [undefined, null, 3, {}, 'not ranks'] },
    {
      value: { pattern: '\\w', specialTokens: {} },
      wrong: [undefined, null, 3, 'no such encoding', {}, { pattern: 3 }],
    },
  ],
  tokenizerStep: [{ value: 'normalizer', wrong: [undefined, null, 3, 'x', {}] }],
  extendTokenizer: [
    extensible,
    { value: words, wrong: [undefined, null, 3, {}, [3], [undefined], [], ['a']] },
    extension,
  ],
  tokenizerExtender: [extensible, extension],
  tokenPieces: [
    { value: tokenizer, wrong: [undefined, null, 3, 'x', {}] },
    { value: bytes, wrong: [undefined, null, 3, 'x', {}] },
  ],
  tokenizerTrainer: [trainerSettings('x')],
  trainTokenizer: [
    { value: ['a b'], wrong: [undefined, null, 3, {}, [3], [undefined]] },
    trainerSettings(Number.NaN),
  ],
}

const encodeOptions: Argument = {
  value: {},
  wrong: [null, 3, 'x', { addSpecial: true }, { addSpecialTokens: 3 }],
}
const ids: Argument = { value: [1], wrong: [undefined, null, 3, {}, ['x']] }
const token: Argument = { value: 1, wrong: [undefined, null, 'x', {}, [1], -1, 1.5] }
const ended = await tokenizers.withChatTemplate(tokenizer, 'chatml')
const withTemplate = tokenizers.Tokenizer.fromJSON(tokenizer.toJSON(), {
  chat_template: '{% for message in messages %}{{ message.content }}{% endfor %}',
})
const methods: Sample[] = [
  ...methodsOf(
    tokenizers.Tokenizer,
    {
      fromFile: [
        path(fixture('pipelines/encoder')),
        { value: {}, wrong: [null, 3, 'x', [1], { target: true }, { asTarget: 3 }] },
      ],
      fromJSON: [{ value: tokenizer.toJSON(), wrong: [undefined, null, 3, 'x', {}, []] }],
    },
    'Tokenizer',
  ),
  ...methodsOf(ended, {
    encodeChat: [
      {
        value: [{ role: 'user', content: 'to' }, { role: 'assistant', content: 'be' }],
        wrong: [undefined, null, 3, 'x', {}, [], ['x'], [{ role: 'user', content: 'to' }]],
      }, // biome-ignore format: one line
      { value: {}, wrong: [null, 3, 'x', [1], { addGenerationPrompt: true }, { tools: 3 }] },
    ],
    endOfTurn: [{ value: {}, wrong: [null, 3, 'x', [1], { chatTemplate: 3 }] }],
  }),
  ...methodsOf(withTemplate, {
    applyChatTemplate: [
      {
        value: [{ role: 'user', content: 'to' }],
        wrong: [undefined, null, 3, 'x', {}, [], ['x'], [{ content: 'to' }]],
      },
      {
        value: {},
        wrong: [null, 3, 'x', [1], { addPrompt: true }, { tools: 3 }, { variables: 'x' }],
      },
    ],
  }),
  ...methodsOf(tokenizer, {
    encode: [arg.text('to'), encodeOptions],
    encodeWithOffsets: [
      arg.text('to'),
      { value: {}, wrong: [null, 3, 'x', { pairs: 'x' }, { pair: 3 }, { maxLength: 'x' }] },
    ],
    batch: [
      { value: ['to'], wrong: [undefined, null, 3, 'x', {}, [3]] },
      { value: {}, wrong: [null, 3, 'x', { pad: 'x' }] },
    ],
    cutPieces: [{ value: ['to'], wrong: [undefined, null, 3, {}] }],
    decode: [
      ids,
      { value: {}, wrong: [null, 3, 'x', { skipSpecial: true }, { skipSpecialTokens: 3 }] },
    ],
    decodeStream: [{ value: {}, wrong: [null, 3, 'x', { skipSpecial: true }] }],
    idToToken: [token],
    isSpecial: [token],
    save: [
      target('tokenizer'),
      { value: {}, wrong: [null, 3, 'x', [1], { maxLength: 8 }, { modelMaxLength: 'x' }] },
    ],
    tokenBytes: [token],
    tokenToId: [arg.text('t')],
  }),
]

export const pipelineFunctions: Record<string, readonly Argument[]> = {
  pipeline: [
    { value: 'fill-mask', wrong: [undefined, null, 3, {}, 'fil-mask', 'encoder'] },
    {
      value: fixture('pipelines/masked-lm'),
      wrong: [undefined, null, 3, {}, [], join(scratch, 'none'), { model: {}, tokenizer: {} }],
    },
    {
      value: {},
      wrong: [
        null,
        3,
        'x',
        { cacheDirectory: 'x' },
        { cacheDir: 3 },
        { dtype: 'q4' },
        { adapters: 3 },
        { adapters: { x: 'x' } },
        { base: 3 },
      ],
    },
  ],
}

export const samples: Sample[] = [
  ...samplesOf(io, ioFunctions),
  ...samplesOf(tokenizers, tokenizerFunctions),
  ...methods,
  ...samplesOf(pipelines, pipelineFunctions),
]

/** Calls of which every form is wrong. */
export const hubSamples: Sample[] = [
  { name: 'pullModel', call: pull, args: [wrongOnly([undefined, null, 3, '../x', {}])] },
  {
    name: 'pullModel',
    call: (options: never) => io.pullModel('org/model', join(scratch, 'm'), options),
    args: [wrongOnly([null, 3, 'x', { revison: 'main' }, { revision: 3 }, { include: 3 }])],
  },
  {
    name: 'pushModel',
    call: push,
    args: [wrongOnly([undefined, null, 3, join(scratch, 'none'), {}])],
  },
  {
    name: 'pushModel',
    call: (options: never) => io.pushModel(scratch, 'org/model', options),
    args: [wrongOnly([null, 3, 'x', { branc: 'main' }, { private: 'x' }])],
  },
]
