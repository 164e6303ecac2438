import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { manualSeed, type Tensor, tensor } from '../../src/index.ts'
import {
  BertForQuestionAnswering,
  BertForSequenceClassification,
  BertForTokenClassification,
  BertModel,
  DistilBertModel,
  fromPretrained,
  headOf,
  modelClass,
  RobertaModel,
  savePretrained,
} from '../../src/models/index.ts'
import { AdamW } from '../../src/optim/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'

const ids = tensor(
  [
    [3, 4, 5, 6],
    [7, 8, 9, 0],
  ],
  { dtype: 'i32' },
)
const tiny = {
  vocab_size: 12,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 6,
}
let scratch: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'heed-encoders-'))
})
afterAll(() => rm(scratch, { recursive: true }))

const list = async (x: Tensor): Promise<number[]> => [...(await x.data())]

describe('a checkpoint with another head', () => {
  it('gives what is below the new one, and says what is new', async () => {
    const dir = join(FIXTURES, 'bert', 'masked-lm')
    const fresh: string[] = []
    const onNew = (names: readonly string[]) => void fresh.push(...names)
    const classifier = await fromPretrained(dir, 'sequence-classification', { onNew })
    const pooler = ['bert.pooler.dense.weight', 'bert.pooler.dense.bias']
    expect(fresh.sort()).toEqual([...pooler, 'classifier.weight', 'classifier.bias'].sort())
    const masked = await fromPretrained(dir, 'masked-lm')
    const below = 'bert.encoder.layer.1.output.dense.weight'
    const values = async (model: BertModel | unknown): Promise<number[]> =>
      list((model as BertModel).stateDict()[below])
    expect(await values(classifier)).toEqual(await values(masked))
  })

  it('names the weights of the other head in a warning, or to `onUnused`', async () => {
    const dir = join(FIXTURES, 'bert', 'masked-lm')
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const unused: string[] = []
    const onUnused = (names: readonly string[]) => void unused.push(...names)
    await fromPretrained(dir, 'token-classification', { onUnused })
    expect(unused).toContain('cls.predictions.transform.dense.weight')
    expect(warned).not.toHaveBeenCalled()
    await fromPretrained(dir, 'question-answering')
    expect(warned).toHaveBeenCalledWith(expect.stringContaining(unused[0]))
    warned.mockRestore()
  })

  it('may be the encoder alone, of any age', async () => {
    const whole = await fromPretrained(join(FIXTURES, 'bert', 'pretraining'), 'encoder')
    const old = await fromPretrained(join(FIXTURES, 'bert', 'old_keys'), 'encoder')
    expect(await list(old.forward(ids))).toEqual(await list(whole.forward(ids)))
    const alone = await fromPretrained(join(FIXTURES, 'bert', 'encoder'), 'token-classification')
    const encoder = await fromPretrained(join(FIXTURES, 'bert', 'encoder'), 'encoder')
    expect(await list((alone as BertForTokenClassification).bert.forward(ids))).toEqual(
      await list(encoder.forward(ids)),
    )
  })

  it('lacks nothing below it', async () => {
    const dir = join(scratch, 'deeper')
    await cp(join(FIXTURES, 'roberta', 'masked-lm'), dir, { recursive: true })
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'))
    await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 3 }))
    await expect(fromPretrained(dir, 'question-answering')).rejects.toThrow(
      heedError('invalid-config', { mentions: ['16:', 'roberta.encoder.layer.2.'] }),
    )
  })

  it('of its own kind has all weights', async () => {
    const model = new BertForSequenceClassification(tiny)
    const dir = join(scratch, 'own')
    await savePretrained(model, dir)
    await savePretrained(model.bert, join(scratch, 'base'))
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'))
    expect(headOf(config)).toBe('sequence-classification')
    await cp(join(scratch, 'base', 'model.safetensors'), join(dir, 'model.safetensors'))
    await expect(fromPretrained(dir, 'sequence-classification')).rejects.toThrow(
      heedError('shape', { mentions: ['2 missing', 'classifier.weight'] }),
    )
  })
})

describe('fine-tuning', () => {
  it('moves what lies above a frozen base, and nothing below', async () => {
    manualSeed(1)
    const model = new BertForSequenceClassification({ ...tiny, num_labels: 3 }).freeze('bert')
    const frozen = await list(model.bert.embeddings.word_embeddings.weight)
    const optimizer = new AdamW(
      model.parameters().filter((p) => p.requiresGrad),
      { lr: 0.05 },
    )
    const labels = tensor([2, 0], { dtype: 'i32' })
    const losses: number[] = []
    for (let step = 0; step < 40; step++) {
      const loss = model.loss(ids, labels)
      loss.backward()
      await optimizer.step()
      losses.push(await loss.item())
    }
    expect(losses[39]).toBeLessThan(0.7 * losses[0])
    expect(await list(model.bert.embeddings.word_embeddings.weight)).toEqual(frozen)
  })

  it('drops while training only, in every part that the paper names', async () => {
    manualSeed(2)
    for (const kind of ['hidden_dropout_prob', 'attention_probs_dropout_prob']) {
      const none = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 }
      const model = new BertModel({ ...tiny, initializer_range: 1, ...none, [kind]: 0.5 })
      expect(await list(model.forward(ids))).not.toEqual(await list(model.forward(ids)))
      model.eval()
      expect(await list(model.forward(ids))).toEqual(await list(model.forward(ids)))
    }
    const { dropout } = new BertForSequenceClassification({ ...tiny, classifier_dropout: 0.3 })
    expect(dropout.p).toBe(0.3)
  })

  it('tells a loss what it cannot be of', () => {
    const model = new BertForSequenceClassification({ ...tiny, num_labels: 3 })
    expect(() => model.loss(ids, tensor([0.5, 1]))).toThrow(
      heedError('shape', { mentions: '(2) i32' }),
    )
    const several = { ...tiny, num_labels: 3, problem_type: 'multi_label_classification' as const }
    const labels = tensor([1, 0], { dtype: 'i32' })
    expect(() => new BertForSequenceClassification(several).loss(ids, labels)).toThrow(
      heedError('shape', { mentions: '(2, 3) f32' }),
    )
  })
})

describe('encoders', () => {
  it('start from what the papers say', async () => {
    const waves = new DistilBertModel({
      vocab_size: 9,
      dim: 8,
      n_heads: 2,
      n_layers: 1,
      max_position_embeddings: 5,
      sinusoidal_pos_embds: true,
    })
    const at = (await waves.embeddings.position_embeddings.weight.tolist()) as number[][]
    expect(at[0]).toEqual([0, 1, 0, 1, 0, 1, 0, 1])
    expect(at[3][2]).toBeCloseTo(Math.sin(3 / 10000 ** (2 / 8)), 6)
    expect(at[3][7]).toBeCloseTo(Math.cos(3 / 10000 ** (6 / 8)), 6)
    const count = new BertModel().parameters().reduce((n, { size }) => n + size, 0)
    expect(count).toBe(109_482_240) // bert-base-uncased
  })

  it('say what they cannot read', () => {
    const model = new BertModel(tiny)
    const long = tensor([[1, 2, 3, 4, 5, 6, 7]], { dtype: 'i32' })
    expect(() => model.forward(long)).toThrow(heedError('shape', { mentions: '1 to 6 tokens' }))
    expect(() => new RobertaModel(tiny).forward(long.narrow(1, 0, 5))).toThrow(
      heedError('shape', { mentions: '1 to 4 tokens' }),
    )
    const mask = tensor([[1, 1]], { dtype: 'i32' })
    expect(() => model.forward(ids, { attentionMask: mask })).toThrow(
      heedError('shape', { mentions: ['bool', '(2, 4)'] }),
    )
    expect(() => new BertModel({ ...tiny, num_attention_heads: 3 })).toThrow(
      heedError('invalid-config', { key: 'num_attention_heads', value: 3 }),
    )
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    new BertModel({ ...tiny, position_embedding_type: 'relative_key' } as object)
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('position_embedding_type'))
    const gap = new BertForTokenClassification({ ...tiny, id2label: { 0: 'A', 2: 'B' } })
    expect(gap.labels).toEqual(['A', 'LABEL_1'])
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/id2label .* lacks 1/))
    warn.mockRestore()
    expect(() => modelClass('bert', 'seq2seq-lm')).toThrow(
      heedError('unsupported', {
        key: 'head',
        value: 'seq2seq-lm',
        mentions: 'encoder, masked-lm',
      }),
    )
    expect(new BertForQuestionAnswering(tiny).contextLength).toBe(6)
  })
})
