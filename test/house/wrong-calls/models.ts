// `heed/models`.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as models from '../../../src/models/index.ts'
import { Linear, Module } from '../../../src/nn/index.ts'
import { ones, type Tensor, tensor } from '../../../src/tensor/index.ts'
import { Tokenizer } from '../../../src/tokenizers/index.ts'
import { FIXTURES } from '../../fixtures/cases.ts'
import {
  type Argument,
  arg,
  definition,
  isClass,
  make,
  methodsOf,
  type Sample,
  samplesOf,
} from './damage.ts'

const scratch = mkdtempSync(join(tmpdir(), 'heed-wrong-calls-'))
const folder = join(FIXTURES, 'pipelines', 'encoder')
const none = join(scratch, 'none')
const dir = (value: string): Argument => ({
  value,
  wrong: [undefined, null, 3, {}, [], true, none],
})
const target = (name: string): Argument => ({
  value: join(scratch, name),
  wrong: [undefined, null, 3, {}, [], true],
})
const gpt2 = new models.GPT2({ vocab_size: 8, n_embd: 8, n_layer: 1, n_head: 1, n_positions: 8 })
const pretrained: Argument = { value: gpt2, wrong: [undefined, null, 3, 'x', {}, new Linear(1, 1)] }
const module_: Argument = { value: gpt2, wrong: [undefined, null, 3, 'x', {}] }
const modelType: Argument = { value: 'gpt2', wrong: [undefined, null, 3, {}, 'gpt3x'] }
const head: Argument = { value: 'causal-lm', wrong: [null, 3, {}, 'causal'] }
await models.savePretrained(gpt2, join(scratch, 'gpt2'))
await models.saveModel(join(scratch, 'model'), gpt2)
const sizes = { layers: 1, heads: 1, dim: 8, context: 8, vocabSize: 8 }

const bert = models.bert as typeof models.bert & models.DecoderFamily<never, never, 'bert'>
const { names } = bert
const family = (value: object): Argument => ({
  value,
  wrong: [
    undefined,
    null,
    3,
    'x',
    {},
    { ...value, Stack: 3 },
    { ...value, names: { ...names, layers: 'x' } },
  ],
})
const classNames: Argument = { value: 'MyModel', wrong: [undefined, null, 3, {}, [], [3]] }
const layers = () => ({ classifier: new Linear(8, 2) })
const logits = ({ classifier }: { classifier: Linear }, x: Tensor) => classifier.forward(x)
const wrongSpecs = [
  null,
  3,
  'x',
  {},
  { architectures: 'X', layers: 3, logits },
  { architectures: 'X', layers },
  { architectures: 'X', layers, logits, noSuchKey: 1 },
  { architectures: [], layers, logits },
]
const spec: Argument = {
  value: { architectures: 'MyModel', layers, logits },
  wrong: [undefined, ...wrongSpecs],
}
class States extends Module {
  static readonly head = 'encoder'
  contextLength = 8
  vocabSize = 1e6
  hiddenSize = 4
  forward = () => ones([1, 8, 4])
}
const gpt2Layer: Argument = {
  value: { ...gpt2.config, layer: 0 },
  wrong: [undefined, null, 3, 'x', {}, { n_embd: 'x' }],
}

const { modelType: _, title, config, otherNames, sizes: gptSizes, dropout, tokenizer, image, task, maskedLanguageModeling, gguf, presets } = models.gpt2 // biome-ignore format: one line
class Registered extends models.GPT2 {
  static override readonly modelType = 'wrong_calls'
}
const newFamily = definition(
  { modelType: 'wrong_calls', title, config, otherNames, heads: [Registered], sizes: gptSizes, dropout, tokenizer, image, task, maskedLanguageModeling, gguf, presets }, // biome-ignore format: one line
  { name: 'modelType' },
)

/** The functions that make the class of a family with a head. */
const heads: Record<string, readonly Argument[]> = {
  causalLM: [
    family(bert),
    classNames,
    { value: undefined, wrong: [null, 3, 'x', {}, { layers: 3, logits }] },
  ],
  imageClassifier: [family(models.vit), spec],
  imageEncoder: [family(models.vit), classNames],
  lastTokenClassifier: [family(bert), classNames],
  maskedLM: [family(bert), spec],
  questionAnswerer: [
    family(bert),
    {
      value: { architectures: 'MyModel' },
      wrong: [undefined, ...wrongSpecs.filter((wrong) => !(wrong as { layers?: unknown })?.layers), { architectures: 'X', layers: 3 }], // biome-ignore format: one line
    },
  ],
  sequenceClassifier: [family(bert), spec],
  textEncoder: [family(bert), classNames],
  tokenClassifier: [family(bert), spec],
}

export const functions: Record<string, readonly Argument[]> = {
  configJson: [pretrained, { value: 'f32', wrong: [null, 3, 'q8', {}] }],
  ...heads,
  convertModel: [
    dir(join(scratch, 'gpt2')),
    target('converted'),
    { value: {}, wrong: [null, 3, 'x', { type: 'f16' }, { dtype: 'q8' }] },
  ],
  countModel: [pretrained, { value: 8, wrong: [null, 'x', {}, 1.5] }],
  defineModel: [newFamily],
  dropoutKeys: [modelType, { value: 0.1, wrong: [undefined, null, 'x', 2, {}] }],
  fromPretrained: [
    dir(join(scratch, 'gpt2')),
    head,
    { value: {}, wrong: [null, 3, 'x', { onnew: () => {} }, { onNew: 3 }, { keepBlocks: 'x' }, { adapters: 'x' }, { base: 3 }] }, // biome-ignore format: one line
  ],
  GPT2Attention: [gpt2Layer],
  GPT2MLP: [gpt2Layer],
  headFor: [{ value: 'causal-lm', wrong: [undefined, null, 3, {}] }],
  headOf: [
    { value: { model_type: 'gpt2' }, wrong: [undefined, null, 3, 'x', {}, { model_type: 3 }] },
  ],
  headsOf: [modelType],
  isBelow: [arg.text('h.0'), { value: ['h'], wrong: [undefined, null, 3, {}] }],
  loadModel: [
    dir(join(scratch, 'model')),
    module_,
    { value: undefined, wrong: [null, 3, 'x', {}] },
  ],
  loadWeights: [module_, dir(join(scratch, 'gpt2'))],
  modelClass: [modelType, head],
  modelDefinition: [modelType],
  newModel: [
    {
      value: { modelType: 'gpt2', head: 'causal-lm', sizes },
      wrong: [
        undefined,
        null,
        3,
        'x',
        {},
        { modelType: 'gpt2', head: 'causal-lm', sizes, dropouts: 0 },
        { modelType: 'gpt2', head: 'causal-lm', sizes: 3 },
        { modelType: 'gpt2', head: 'causal-lm', sizes: { ...sizes, dim: 'x' } },
        { modelType: 'gpt2', head: 'causal-lm', sizes, dropout: 'x' },
      ],
    },
  ],
  patchFor: [{ value: [32, 32], wrong: [undefined, null, 3, 'x', {}, [32], ['x', 32], [Number.NaN, 32]] }], // biome-ignore format: one line
  preset: [{ value: models.presetNames()[0], wrong: [undefined, null, 3, {}, 'no such preset'] }],
  readModelConfig: [dir(folder)],
  readSentenceConfig: [{ ...dir(folder), wrong: [undefined, null, 3, {}, []] }],
  registerModel: [newFamily],
  saveModel: [target('saved'), module_, { value: undefined, wrong: [null, 3, 'x', {}] }],
  remapTokenEmbeddings: [
    { value: gpt2, wrong: [undefined, null, 3, 'x', {}, new Linear(1, 1)] },
    {
      value: [[0], [1], [2], [3], [4], [5], [6], [7]],
      wrong: [undefined, null, 3, 'x', {}, [], [3], [[8]], [[-1]], [[0.5]], [['x']]],
    },
  ],
  resizeTokenEmbeddings: [
    { value: gpt2, wrong: [undefined, null, 3, 'x', {}, new Linear(1, 1)] },
    { value: 8, wrong: [undefined, null, 'x', 0, 1.5, 7] },
  ],
  savePretrained: [
    pretrained,
    target('pretrained'),
    { value: {}, wrong: [null, 3, 'x', { type: 'f16' }, { dtype: 'q8' }, { tokenizer: 3 }] },
  ],
  SentenceEncoder: [
    { value: new States(), wrong: [undefined, null, 3, 'x', {}, gpt2] },
    { value: await Tokenizer.fromFile(folder), wrong: [undefined, null, 3, 'x', {}] },
    {
      value: undefined,
      wrong: [
        null,
        3,
        'x',
        {},
        { pooling: ['middle'], normalize: true },
        { pooling: [], normalize: true },
        { pooling: ['mean'], normalize: 3 },
        { pooling: ['mean'], normalize: true, noSuchKey: 1 },
      ],
    },
  ],
  shiftRight: [
    arg.tensor(tensor([[1, 2]])),
    {
      value: { decoderStartTokenId: 0, padTokenId: 0 },
      wrong: [undefined, null, 3, 'x', {}, { decoderStartTokenId: 0 }],
    },
  ],
  saveWeights: [module_, target('weights.safetensors')],
}

/** The classes of models: their configs, refused before anything is built. */
export const modelClasses = Object.entries(models).flatMap(([name, value]) =>
  isClass(value) && 'head' in value ? [name] : [],
)

const ids = arg.tensor(tensor([[1, 2]], { dtype: 'i32' }))
const label = arg.tensor(tensor([1], { dtype: 'i32' }))
/** The options of a forward pass, as they are often misspelt. */
const inputs = (value?: object): Argument => ({
  value,
  wrong: [
    null,
    3,
    'x',
    [1],
    { ...value, attention_mask: ones([1, 2]) },
    { ...value, attentionMask: [[1, 1]] },
  ],
})
const small = { vocab_size: 8, hidden_size: 8, num_hidden_layers: 1, num_attention_heads: 1, intermediate_size: 8 } // biome-ignore format: one line
const place = (at: number) => tensor([at], { dtype: 'i32' })
const answer: Argument = { value: { start: place(0), end: place(1) }, wrong: [undefined, null, 3, {}] } // biome-ignore format: one line
const t5 = new models.T5ForConditionalGeneration({ vocab_size: 8, d_model: 8, d_kv: 8, d_ff: 8, num_layers: 1, num_heads: 1 }) // biome-ignore format: one line

const methods: Sample[] = [
  ...methodsOf(gpt2, {
    forward: [ids, inputs()],
    loss: [ids, ids],
    createCache: [
      { value: undefined, wrong: [null, 3, 'x', [1], { length: 8 }, { capacity: 'x' }, { batch: 0 }] }, // biome-ignore format: one line
    ],
  }),
  ...methodsOf(new models.GPT2ForSequenceClassification(gpt2.config), {
    forward: [ids, inputs()],
    loss: [ids, label, inputs()],
    jointLoss: [ids, label, { ...inputs({ lmWeight: 0.5 }), wrong: [undefined, {}, ...inputs().wrong, { lmWeight: 'x' }] }], // biome-ignore format: one line
  }),
  ...methodsOf(new models.BertModel(small), { forward: [ids, inputs()] }),
  ...methodsOf(new models.BertForMaskedLM(small), {
    forward: [ids, inputs()],
    loss: [ids, ids, inputs()],
  }),
  ...methodsOf(new models.BertForPreTraining(small), {
    forward: [ids, inputs()],
    loss: [ids, { value: { tokens: ids.value, nextSentence: label.value }, wrong: [undefined, null, 3, {}] }, inputs()], // biome-ignore format: one line
  }),
  ...methodsOf(new models.BertForNextSentencePrediction(small), {
    forward: [ids, inputs()],
    loss: [ids, label, inputs()],
  }),
  ...methodsOf(new models.BertForSequenceClassification(small), {
    forward: [ids, inputs()],
    loss: [ids, label, inputs()],
  }),
  ...methodsOf(new models.BertForTokenClassification(small), {
    forward: [ids, inputs()],
    loss: [ids, ids, inputs()],
  }),
  ...methodsOf(new models.BertForQuestionAnswering(small), {
    forward: [ids, inputs()],
    loss: [ids, answer, inputs()],
  }),
  ...methodsOf(new models.ViTForImageClassification({ ...small, image_size: 4, patch_size: 2 }), {
    forward: [arg.tensor(ones([1, 3, 4, 4]))],
    loss: [arg.tensor(ones([1, 3, 4, 4])), label],
  }),
  ...methodsOf(t5, {
    forward: [ids, ids, inputs()],
    encode: [ids, inputs()],
    decode: [ids, inputs({ encoded: ones([1, 2, 8]) })],
    loss: [ids, ids, inputs()],
    createCache: [
      {
        value: { capacity: 4, sourceLength: 4 },
        wrong: [undefined, null, 3, 'x', {}, { capacity: 4, sourceLength: 4, rows: 1 }, { capacity: 'x', sourceLength: 4 }], // biome-ignore format: one line
      },
    ],
  }),
  ...methodsOf(await models.SentenceEncoder.fromPretrained(folder), {
    embed: [
      { value: ['a'], wrong: [undefined, null, 3, 'x', {}, [3]] },
      { value: {}, wrong: [null, 3, 'x', [1], { batch: 1 }, { batchSize: 'x' }, { promptName: 3 }] }, // biome-ignore format: one line
    ],
  }),
]

export const samples: Sample[] = [...samplesOf(models, functions), ...methods]

/** Calls of which every form is wrong. */
export const wrongConfigs: Sample[] = modelClasses.map((name) => ({
  name,
  call: make(Reflect.get(models, name) as new () => unknown),
  args: [
    {
      value: undefined,
      wrong: [null, 3, 'x', true, [1], { vocab_size: 'x', image_size: 'x', num_channels: 'x' }],
    },
  ],
}))
