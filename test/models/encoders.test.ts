// Encoders, and other models with the heads of encoders, against transformers: see
// scripts/fixtures/{encoders,t5_heads,decoder_heads}.py.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'vitest'
import { tensor } from '../../src/index.ts'
import {
  BertModel,
  type EncoderOptions,
  type Head,
  type Heads,
  modelDefinition,
  modelTypes,
} from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { onEach, oneOfEach } from '../support/devices.ts'
import {
  expectParity,
  loadModel,
  type Results,
  readExpected,
  type Tensors,
  variantsOf,
} from './parity.ts'

const families = [
  ...modelTypes().filter(
    (type) => modelDefinition(type).maskedLanguageModeling && existsSync(join(FIXTURES, type)),
  ),
  't5_heads',
  'mt5_heads',
  ...readdirSync(join(FIXTURES, 'heads')).map((family) => join('heads', family)),
]

type EncoderHead = Exclude<Head, 'seq2seq-lm' | `image-${string}`>

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
  'causal-lm': (model, { input_ids }) => {
    const last = input_ids.shape[1] - 1
    const loss = model.loss(input_ids.narrow(1, 0, last), input_ids.narrow(1, 1, last))
    return { logits: model.forward(input_ids), loss }
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
  it.each(variantsOf(families))(
    '%s/%s, %s: computes what transformers computes',
    async (family, name, variant) => {
      const dir = join(FIXTURES, family, name)
      const expected = await readExpected<EncoderHead>(dir, variant)
      const { head, overrides, stored } = expected
      const model = await loadModel(dir, head, overrides)
      const options = {
        attentionMask: stored.attention_mask?.ne(0),
        tokenTypeIds: stored.token_type_ids,
      }
      const run = (): Results => compute[head](model as never, stored, options)
      await expectParity(model, expected, run, /(^|\.)(embeddings|layer\.\d+)$/)
    },
  )
})
