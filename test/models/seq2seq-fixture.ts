// A folder of scripts/fixtures/seq2seq.py: a model, and what it must compute.
import { join } from 'node:path'
import type { Shape } from '../../src/graph/shape.ts'
import { type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { fromPretrained, loadWeights, type Seq2SeqLM } from '../../src/models/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'

export interface Beams {
  options: {
    num_beams: number
    max_new_tokens: number
    eos_token_id?: number
    length_penalty?: number
    early_stopping?: boolean
    bad_words_ids?: number[][]
    renormalize_logits?: boolean
  }
  sequences: number[][][]
  scores: number[][]
}

interface Told {
  overrides: object
  loss: number
  smoothedLoss: number
  gradients: string[]
  float32Error: number
  /** Of the second text, which has no padding; of variants that are a model's own. */
  greedy?: number[]
  beams?: Beams[]
}

export interface Seq2SeqFixture extends Told {
  dir: string
  model: Seq2SeqLM
  tolerance: number
  input: Tensor
  attentionMask: Tensor
  labels: Tensor
  want(name: string): Tensor
}

type Constructor = new (config: object) => Seq2SeqLM

export async function loadSeq2Seq(path: string, variant: string): Promise<Seq2SeqFixture> {
  const dir = join(FIXTURES, path)
  const told = (await readJsonObject(join(dir, 'expected', `${variant}.json`))) as unknown as Told
  const file = await openSafetensors(join(dir, 'expected', `${variant}.safetensors`))
  const shape = (name: string): Shape => file.info(name).shape
  const ints = async (name: string): Promise<Tensor> =>
    tensor(await file.read(name, { as: 'i32' }), { shape: shape(name) })
  const [input, mask, labels] = [
    await ints('input_ids'),
    await ints('attention_mask'),
    await ints('labels'),
  ]
  const wanted = new Map<string, Tensor>()
  for (const name of file.names.filter((name) => /^(encoded|logits|grad\.)/.test(name)))
    wanted.set(name, tensor(await file.read(name, { as: 'f32' }), { shape: shape(name) }))
  await file.close()
  let model: Seq2SeqLM = await fromPretrained(dir, 'seq2seq-lm')
  if (Object.keys(told.overrides).length > 0) {
    const Model = model.constructor as Constructor
    model = new Model({ ...withoutDerived(model.config as object), ...told.overrides })
    await loadWeights(model, join(dir, 'model.safetensors'))
    model.eval()
  }
  return {
    ...told,
    dir,
    model,
    tolerance: Math.max(1e-5, 10 * told.float32Error),
    input,
    attentionMask: mask.ne(0),
    labels,
    want: (name) => wanted.get(name) as Tensor,
  }
}

export const seq2seqVariants = [
  ...['tied', 'epsilon', 'distance', 'gelu_new', 'start', 'unscaled'].map((v) => ['t5/tied', v]),
  ...['gated', 'silu', 'relu', 'distance'].map((v) => ['t5/gated', v]),
  ...['tied', 'silu'].map((v) => ['mt5/tied', v]),
  ['mt5/untied', 'untied'],
  ...['shared', 'relu', 'gelu', 'unscaled', 'heads', 'start'].map((v) => ['marian/shared', v]),
  ['marian/separate', 'separate'],
  ['marian/untied', 'untied'],
]

/** Keys that T5 derives from others, and that take precedence where a config has them. */
function withoutDerived(config: object): object {
  const { dense_act_fn, is_gated_act, ...rest } = config as Record<string, unknown>
  return rest
}
