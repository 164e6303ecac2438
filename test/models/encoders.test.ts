// BERT, DistilBERT and RoBERTa against transformers: see scripts/fixtures/encoders.py.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { readConfig } from '../../src/io/hub/hf.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import {
  BertModel,
  type EncoderOptions,
  fromPretrained,
  type Head,
  type Heads,
  loadWeights,
  modelClass,
} from '../../src/models/index.ts'
import { captureActivations, captureAttention, type Module } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'

const families = ['bert', 'distilbert', 'roberta']
const cases = families.flatMap((family) =>
  readdirSync(join(FIXTURES, family)).flatMap((name) =>
    readdirSync(join(FIXTURES, family, name, 'expected'))
      .filter((file) => file.endsWith('.json'))
      .map((file) => [family, name, file.replace('.json', '')] as const),
  ),
)

type Tensors = Record<string, Tensor>

/** What a model computes under the names of transformers, and its loss. */
interface Results extends Tensors {
  loss: Tensor
}

type EncoderHead = Exclude<Head, 'causal-lm' | 'seq2seq-lm' | `image-${string}`>

const compute: {
  [H in EncoderHead]: (model: Heads[H], given: Tensors, options: EncoderOptions) => Results
} = {
  encoder: (model, { input_ids }, options) => {
    const states = model.forward(input_ids, options)
    const order = tensor(Array.from({ length: 16 }, (_, i) => Math.cos(i)))
    const results: Results = {
      last_hidden_state: states,
      loss: states.sub(order).square().mean(),
    }
    if (model instanceof BertModel) results.pooler_output = model.pooled(states)
    return results
  },
  'masked-lm': oneResult,
  'sequence-classification': oneResult,
  'token-classification': oneResult,
  'next-sentence-prediction': oneResult,
  pretraining: (model, { input_ids, labels, next_sentence_label }, options) => {
    const { tokens, nextSentence } = model.forward(input_ids, options)
    const loss = model.loss(
      input_ids,
      { tokens: labels, nextSentence: next_sentence_label },
      options,
    )
    return { prediction_logits: tokens, seq_relationship_logits: nextSentence, loss }
  },
  'question-answering': (model, { input_ids, start_positions, end_positions }, options) => {
    const { start, end } = model.forward(input_ids, options)
    const answer = { start: start_positions, end: end_positions }
    return { start_logits: start, end_logits: end, loss: model.loss(input_ids, answer, options) }
  },
}

type OneResult = Heads['masked-lm' | 'sequence-classification' | 'token-classification']

function oneResult(
  model: OneResult,
  { input_ids, labels }: Tensors,
  options: EncoderOptions,
): Results {
  const loss = model.loss(input_ids, labels, options)
  return { logits: model.forward(input_ids, options), loss }
}

onEach(oneOfEach, () => {
  it.each(cases)(
    '%s/%s, %s: computes what transformers computes',
    async (family, name, variant) => {
      const dir = join(FIXTURES, family, name)
      const told = await readJsonObject(join(dir, 'expected', `${variant}.json`))
      const stored = await tensorsOf(join(dir, 'expected', `${variant}.safetensors`))
      const head = told.head as EncoderHead
      const model = await load(dir, head, told.overrides as object)
      const options = {
        attentionMask: stored.attention_mask?.ne(0),
        tokenTypeIds: stored.token_type_ids,
      }
      const run = (): Results => compute[head](model as never, stored, options)

      const { loss, ...results } = run()
      loss.backward()
      for (const [key, got] of Object.entries(results)) await expectClose(got, stored[key])
      const wanted = told.loss as number
      expect(Math.abs((await loss.item()) - wanted)).toBeLessThan(1e-4 * Math.max(1, wanted))
      const parameters = new Map(model.namedParameters())
      for (const key of told.gradients as string[])
        await expectClose(parameters.get(key)?.grad, stored[`grad.${key}`], 1e-3)
      if (stored['attentions.0']) await expectInside(model, stored, run)
    },
  )
})

/** Hidden states and attention of every layer, captured from outside. */
async function expectInside(model: Module, stored: Tensors, run: () => unknown): Promise<void> {
  const layers = /(^|\.)(embeddings|layer\.\d+)$/
  const paths = model.namedModules().flatMap(([path]) => (layers.test(path) ? [path] : []))
  const { result, activations } = captureActivations(model, paths, () => captureAttention(run))
  expect(activations.size).toBe(result.attentions.size + 1)
  for (const [i, state] of [...activations.values()].entries())
    await expectClose(state, stored[`hidden_states.${i}`])
  for (const [i, weights] of [...result.attentions.values()].entries())
    await expectClose(weights, stored[`attentions.${i}`])
}

/** max |a - b| ≤ tolerance · max |b|. */
async function expectClose(got: Tensor | null | undefined, want: Tensor, tolerance = 1e-4) {
  expect(got?.shape).toEqual(want.shape)
  const scale = await want.abs().amax().item()
  expect(await (got as Tensor).sub(want).abs().amax().item()).toBeLessThan(tolerance * scale)
}

async function tensorsOf(path: string): Promise<Tensors> {
  const file = await openSafetensors(path)
  const read = async (name: string): Promise<[string, Tensor]> => {
    const { dtype, shape } = file.info(name)
    const integers = dtype === 'i32'
    const data = integers
      ? await file.read(name, { as: 'i32' })
      : await file.read(name, { as: 'f32' })
    return [name, tensor(data, { shape })]
  }
  const all = await Promise.all(file.names.map(read))
  await file.close()
  return Object.fromEntries(all)
}

async function load(dir: string, head: Head, overrides: object): Promise<Module> {
  if (Object.keys(overrides).length === 0) return fromPretrained(dir, head)
  const config = await readConfig(dir)
  const Model = modelClass(config.model_type, head)
  const model = new Model({ ...config, ...overrides } as never)
  await loadWeights(model, join(dir, 'model.safetensors'))
  return model.eval()
}
