import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { manualSeed, noGrad, Parameter, randn, type Tensor, tensor } from '../../src/index.ts'
import { fromPretrained, GPT2, savePretrained } from '../../src/models/index.ts'
import { cosineDistance, divergence, everyNth } from '../../src/train/distill/index.ts'
import { parseTrainConfig } from '../../src/train/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { expectClose } from '../support/close.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const inScratch = scratch()
const trl: {
  losses: {
    beta: number
    temperature: number
    student: number[][][]
    teacher: number[][][]
    labels: number[][]
    loss: number
    grad: number[][][]
  }[]
  models: { beta: number; ids: number[][]; labels: number[][]; loss: number; grad: number[] }[]
} = JSON.parse(readFileSync(join(FIXTURES, 'distillation.json'), 'utf8'))

/** trl's mean over the labels that are not -100. */
function meanOver(values: Tensor, labels: number[][]): Tensor {
  const counted = tensor(labels, { dtype: 'i32' }).ne(-100).to('f32')
  return values.mul(counted).sum().div(counted.sum())
}

describe('divergence', () => {
  it.each(trl.losses)('β $beta, temperature $temperature: is that of trl', async (example) => {
    const { beta, temperature, labels } = example
    const student = new Parameter(tensor(example.student))
    const values = divergence(student, tensor(example.teacher), {
      divergence: 'js',
      beta,
      temperature,
    })
    const loss = meanOver(values, labels)
    loss.backward()
    expect(await loss.item()).toBeCloseTo(example.loss, 5)
    await expectClose(student.grad as Tensor, tensor(example.grad), 1e-4)
  })

  it.each(trl.models)(
    'of two GPT-2 with β $beta: loss and gradient are those of trl',
    async (example) => {
      const folder = join(FIXTURES, 'gpt2/base')
      const [student, teacher] = [
        await fromPretrained(folder, 'causal-lm'),
        await fromPretrained(folder, 'causal-lm'),
      ]
      const embeddings = new Map(teacher.namedParameters()).get('transformer.wte.weight')
      embeddings?.assign(noGrad(() => embeddings.mul(1.25)))
      const ids = tensor(example.ids, { dtype: 'i32' })
      const own = student.eval().forward(ids).narrow(1, 0, 8)
      const its = noGrad(() => teacher.eval().forward(ids).narrow(1, 0, 8))
      const values = divergence(own, its, { divergence: 'js', beta: example.beta })
      const loss = meanOver(
        values,
        example.labels.map((row) => row.slice(1)),
      )
      loss.backward()
      expect(await loss.item()).toBeCloseTo(example.loss, 4)
      const grad = new Map(student.namedParameters()).get('transformer.h.0.attn.c_proj.bias')?.grad
      await expectClose(grad as Tensor, tensor(example.grad), 1e-3)
    },
  )

  it('is 0 for equal logits, and never negative', async () => {
    manualSeed(1)
    const [a, b] = [randn([64, 9]).mul(3), randn([64, 9]).mul(3)]
    for (const kind of ['forward', 'reverse', 'js'] as const)
      for (const temperature of [0.5, 1, 4]) {
        const options = { divergence: kind, temperature, beta: 0.3 }
        for (const value of await divergence(a, a, options).data())
          expect(Math.abs(value)).toBeLessThan(1e-6)
        for (const value of await divergence(a, b, options).data()) expect(value).toBeGreaterThan(0)
      }
  })

  it('hard: is the cross-entropy with the most probable class of the teacher', async () => {
    const student = tensor([[1, 2, 3]])
    const value = divergence(student, tensor([[0, 5, 1]]), { divergence: 'hard' })
    const logSum = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3))
    expect((await value.data())[0]).toBeCloseTo(logSum - 2, 5)
  })

  it('refuses other shapes and options out of range', () => {
    const x = tensor([[1, 2]])
    expect(() => divergence(x, tensor([[1, 2, 3]]))).toThrow(heedError('shape', {}))
    expect(() => divergence(x, x, { temperature: 0 })).toThrow(
      heedError('invalid-option', { key: 'temperature', value: 0 }),
    )
    expect(() => divergence(x, x, { beta: 2 })).toThrow(
      heedError('invalid-option', { key: 'beta', value: 2 }),
    )
  })

  it('cosineDistance is 0 for the same direction and 2 for the opposite', async () => {
    const x = tensor([
      [1, 2],
      [3, -1],
    ])
    const values = await cosineDistance(x, x.mul(tensor([[2], [-1]]))).data()
    expect(values[0]).toBeCloseTo(0, 6)
    expect(values[1]).toBeCloseTo(2, 6)
  })
})

const words = ['good', 'bad', 'fine', 'poor', 'nice', 'awful', 'great', 'weak']
const rows = Array.from({ length: 48 }, (_, i) => ({
  text: `${words[i % 8]} ${words[(i * 3) % 8]} food`,
  label: i % 2 === 0 ? 'praise' : 'blame',
}))
const plain = {
  model: 'bert',
  task: 'text-classification',
  tokenizer: 'char',
  valFraction: 0,
  evalEvery: 0,
  saveEvery: 0,
  epochs: null,
}

/** Trains a teacher once. */
const teachers = new Map<string, Promise<string>>()
function teacherOf(task: string): Promise<string> {
  const known = teachers.get(task)
  if (known) return known
  const made = makeTeacher(task)
  teachers.set(task, made)
  return made
}

async function makeTeacher(task: string): Promise<string> {
  const out = inScratch(`teacher-${task}`)
  const data = [writeRows(inScratch(`${task}.jsonl`), rows)]
  const keys = task === 'text-generation' ? { ...plain, model: 'gpt2' } : plain
  await trainTiny(out, { ...keys, task, data, steps: 30, lr: 3e-3, layers: 4, heads: 2, dim: 16 })
  return out
}

const FROM_TEACHER = { layers: undefined, heads: undefined, dim: undefined, tokenizer: undefined }
const lossesOf = (run: string): number[] => linesOf(run).flatMap(({ loss }) => loss ?? [])

describe('a run with a teacher', () => {
  it.each(['forward', 'reverse', 'js'])(
    'distils a model into itself with a %s divergence of 0',
    async (divergence) => {
      const teacher = await teacherOf('text-classification')
      const out = inScratch(`self-${divergence}`)
      const data = [inScratch('text-classification.jsonl')]
      const keys = {
        ...plain,
        from: teacher,
        teacher,
        data,
        steps: 2,
        alpha: 1,
        divergence,
        dropout: 0,
        warmup: 0,
        lr: 1e-9,
      }
      await trainTiny(out, { ...keys, ...FROM_TEACHER })
      for (const loss of lossesOf(out)) expect(Math.abs(loss)).toBeLessThan(1e-6)
    },
  )

  it('learns from unlabelled rows: half of the layers agree with the teacher', async () => {
    const teacher = await teacherOf('text-classification')
    const data = [writeRows(inScratch('mixed.jsonl'), rows.map(({ text, label }, i) => (i < 8 ? { text, label } : { text })))] // biome-ignore format: one line
    const keys = { ...plain, from: teacher, teacher, data, steps: 40, every: 2, unlabelled: true, alpha: 0.9, lr: 3e-3, hiddenWeight: 0.1, cosineWeight: 0.1, dropout: 0 } // biome-ignore format: one line
    const out = inScratch('student')
    const { model } = await trainTiny(out, { ...keys, ...FROM_TEACHER })
    expect(Object.keys(model.stateDict()).some((name) => name.includes('layer.2'))).toBe(false)
    const losses = lossesOf(out)
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 2)

    // It resumes bit for bit, and micro-batches give the same losses.
    const again = inScratch('student-resumed')
    await trainTiny(again, { ...keys, ...FROM_TEACHER }, { stopAt: 11 })
    await trainTiny(again, { ...keys, ...FROM_TEACHER }, { resume: true })
    expect(await weightsOf(again)).toEqual(await weightsOf(out))
    const [four, parts] = [inScratch('student-four'), inScratch('student-parts')]
    await trainTiny(four, { ...keys, ...FROM_TEACHER, steps: 4 })
    await trainTiny(parts, { ...keys, ...FROM_TEACHER, batch: 2, accumulate: 4, steps: 4 })
    const whole = lossesOf(four)
    for (const [i, loss] of lossesOf(parts).entries()) expect(loss).toBeCloseTo(whole[i], 4)
  })

  it('compares states of other widths by projections, which checkpoints keep', async () => {
    const teacher = await teacherOf('text-classification')
    const data = [inScratch('text-classification.jsonl')]
    const keys = { ...plain, tokenizer: join(teacher, 'tokenizer.json'), layers: 2, heads: 2, dim: 12, teacher, data, steps: 12, hiddenWeight: 1, dropout: 0 } // biome-ignore format: one line
    const whole = inScratch('wide')
    await trainTiny(whole, keys)
    const parts = inScratch('wide-resumed')
    await trainTiny(parts, keys, { stopAt: 5 })
    await trainTiny(parts, keys, { resume: true })
    expect(await weightsOf(parts)).toEqual(await weightsOf(whole))
    expect([...(await weightsOf(whole)).keys()].some((name) => name.includes('projection'))).toBe(
      false,
    )
  })

  it('trains on texts of the student and of the teacher, and resumes bit for bit', async () => {
    const teacher = await teacherOf('text-generation')
    const data = [inScratch('text-generation.jsonl')]
    for (const [name, own] of Object.entries({
      policy: { onPolicy: 0.5, divergence: 'js' },
      beams: { teacherBeams: 2, alpha: 1 },
    })) {
      const keys = { ...plain, model: 'gpt2', task: 'text-generation', from: teacher, teacher, data, every: 2, steps: 6, context: 16, dropout: 0, ...own } // biome-ignore format: one line
      const [whole, parts] = [inScratch(name), inScratch(`${name}-resumed`)]
      await trainTiny(whole, { ...keys, ...FROM_TEACHER })
      await trainTiny(parts, { ...keys, ...FROM_TEACHER }, { stopAt: 3 })
      await trainTiny(parts, { ...keys, ...FROM_TEACHER }, { resume: true })
      expect(await weightsOf(parts)).toEqual(await weightsOf(whole))
      for (const loss of lossesOf(whole)) expect(Number.isFinite(loss)).toBe(true)
    }
  })

  it('answers conversations on texts of the student and of the teacher, and resumes bit for bit', async () => {
    const chats = [writeRows(inScratch('chats.jsonl'), rows.map(({ text, label }) => ({ prompt: text, completion: label })))] // biome-ignore format: one line
    const keys = { ...plain, model: 'gpt2', task: 'chat', data: chats, context: 96, batch: 8, lr: 3e-3, dropout: 0 } // biome-ignore format: one line
    const teacher = inScratch('teacher-chat')
    await trainTiny(teacher, { ...keys, steps: 20, layers: 4, heads: 2, dim: 16 })
    for (const [name, more] of Object.entries({
      'chat-policy': { onPolicy: 0.5, divergence: 'js' },
      'chat-beams': { teacherBeams: 2, alpha: 1 },
      'chat-packed': { packing: true },
    })) {
      const config = { ...keys, ...FROM_TEACHER, ...more, from: teacher, teacher, every: 2, steps: 4 } // biome-ignore format: one line
      const [whole, parts] = [inScratch(name), inScratch(`${name}-resumed`)]
      await trainTiny(whole, config)
      await trainTiny(parts, config, { stopAt: 2 })
      await trainTiny(parts, config, { resume: true })
      expect(await weightsOf(parts)).toEqual(await weightsOf(whole))
      for (const loss of lossesOf(whole)) expect(Number.isFinite(loss)).toBe(true)
    }
    const both = { ...keys, ...FROM_TEACHER, from: teacher, teacher, every: 2, steps: 2, packing: true, onPolicy: 1 } // biome-ignore format: one line
    await expect(trainTiny(inScratch('refused-packing'), both)).rejects.toThrow(heedError('unsupported', { key: 'onPolicy', value: 1 })) // biome-ignore format: one line
  })

  it('translates: a model distilled into itself has a divergence of 0', async () => {
    const pairs = [writeRows(inScratch('pairs.jsonl'), rows.map(({ text, label }) => ({ source: text, target: label })))] // biome-ignore format: one line
    const keys = { ...plain, model: 't5', task: 'text2text-generation', data: pairs, context: 32, batch: 8, lr: 3e-3, dropout: 0 } // biome-ignore format: one line
    const teacher = inScratch('teacher-t5')
    await trainTiny(teacher, { ...keys, steps: 10, layers: 2, heads: 2, dim: 16 })
    const config = { ...keys, ...FROM_TEACHER, from: teacher, teacher, alpha: 1, steps: 3 }
    await trainTiny(inScratch('t5-itself'), config)
    const [first] = lossesOf(inScratch('t5-itself'))
    expect(Math.abs(first)).toBeLessThan(1e-6)
  })

  it('refuses a teacher with another vocabulary or other labels before training', async () => {
    const teacher = await teacherOf('text-classification')
    const data = [writeRows(inScratch('other.jsonl'), rows.map(({ text, label }) => ({ text: `${text}!`, label })))] // biome-ignore format: one line
    await expect(
      trainTiny(inScratch('refused'), { ...plain, teacher, data, steps: 2 }),
    ).rejects.toThrow(heedError('invalid-option', { key: 'teacher', value: teacher }))
    const renamed = [writeRows(inScratch('renamed.jsonl'), rows.map(({ text, label }) => ({ text, label: `very ${label}` })))] // biome-ignore format: one line
    await expect(
      trainTiny(inScratch('refused-labels'), { ...plain, tokenizer: join(teacher, 'tokenizer.json'), teacher, data: renamed, steps: 2 }), // biome-ignore format: one line
    ).rejects.toThrow(heedError('invalid-option', { key: 'teacher', value: teacher }))
  })

  it('refuses tasks and options that cannot be distilled', async () => {
    const teacher = await teacherOf('text-classification')
    const data = [inScratch('text-classification.jsonl')]
    const tokenizer = join(teacher, 'tokenizer.json')
    await expect(
      trainTiny(inScratch('refused-beams'), {
        ...plain,
        tokenizer,
        teacher,
        data,
        steps: 2,
        onPolicy: 1,
      }),
    ).rejects.toThrow(heedError('unsupported', { key: 'onPolicy', value: 1 }))
    expect(() => parseTrainConfig({ ...plain, data, alpha: 0.5, steps: 2 })).toThrow(
      heedError('unknown-name', { key: 'alpha' }),
    )
  })
})

describe('everyNth', () => {
  it('keeps every n-th layer and all other weights', async () => {
    const teacher = new GPT2({ vocab_size: 11, n_positions: 8, n_embd: 8, n_head: 2, n_layer: 5 })
    const student = everyNth(teacher, 'gpt2', 'causal-lm', 2)
    const [own, its] = [student.stateDict(), teacher.stateDict()]
    expect(Object.keys(own).filter((name) => name.endsWith('ln_1.weight'))).toHaveLength(3)
    for (const [
      from,
      to,
    ] of [['h.2.mlp.c_fc.weight', 'h.4.mlp.c_fc.weight'], ['wte.weight', 'wte.weight'], ['h.1.attn.c_attn.weight', 'h.2.attn.c_attn.weight']]) // biome-ignore format: one line
      expect(await own[`transformer.${from}`].data()).toEqual(await its[`transformer.${to}`].data())
    const folder = inScratch('kept')
    await savePretrained(student, folder)
    expect((await fromPretrained(folder)).config).toMatchObject({ n_layer: 3 })
    expect(() => everyNth(teacher, 'gpt2', 'causal-lm', 1)).toThrow(
      heedError('invalid-option', { key: 'every', value: 1 }),
    )
  })
})
