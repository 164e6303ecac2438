// Runs that train an adapter: what they write, how they are opened, resumed and continued, and that the base stays.
import { createHash } from 'node:crypto'
import { cp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { adaptersOf, loadAdapters, mergeAdapters } from '../../src/adapt/index.ts'
import { quantizeBase } from '../../src/adapt/quantize-base.ts'
import { type CausalLM, fromPretrained } from '../../src/models/index.ts'
import { type Module, quantize } from '../../src/nn/index.ts'
import { type Tensor, tensor } from '../../src/tensor/index.ts'
import { describeRuns, evaluateRun, openRun } from '../../src/train/index.ts'
import { heed } from '../cli/in-process.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()
const GGUF = fileURLToPath(new URL('../fixtures/gguf/llama.gguf', import.meta.url))
const ADAPTER = 'lora:r=2,targets=all-linear'
const keys = {
  model: 'gpt2',
  from: at('base'),
  data: [at('text.txt')],
  adapter: ADAPTER,
  warmup: 0,
  lr: 0.05,
  saveEvery: 3,
  evalEvery: 3,
}
const ids = tensor([[1, 2, 3, 4]], { dtype: 'i32' })

const hashOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
const weightsOf = (run: string): Promise<Buffer> => readFile(join(run, 'adapter_model.safetensors'))
const logitsOf = async (model: { forward(ids: Tensor): Tensor }): Promise<number[]> => [
  ...(await model.forward(ids).data()),
]
const openAt = async (run: string, options = {}): Promise<number[]> =>
  logitsOf(await fromPretrained(run, 'causal-lm', options))

let before: string
beforeAll(async () => {
  await writeFile(at('text.txt'), 'the cat sat on the mat and the dog ran after it. '.repeat(60))
  const { adapter, from, ...whole } = keys
  await trainTiny(at('base'), { ...whole, lr: 1e-3, steps: 2 })
  before = await hashOf(at('base/model.safetensors'))
  await trainTiny(at('run'), { ...keys, steps: 6 })
})

it('writes the adapter, the tokenizer and the task, and leaves the base as it is', async () => {
  expect(await readdir(at('run'))).toEqual(
    expect.arrayContaining(['adapter_config.json', 'adapter_model.safetensors', 'tokenizer.json']),
  )
  expect(await readdir(at('run'))).not.toContain('model.safetensors')
  expect(await hashOf(at('base/model.safetensors'))).toBe(before)
  const { base } = JSON.parse(await readFile(at('run/task.json'), 'utf8'))
  expect(base).toEqual({ path: at('base'), sha256: before })
  const config = JSON.parse(await readFile(at('run/adapter_config.json'), 'utf8'))
  expect(config).toMatchObject({ base_model_name_or_path: at('base'), task_type: 'CAUSAL_LM' })
  const [first, last] = [linesOf(at('run'))[0], linesOf(at('run')).at(-1)]
  expect(last?.val_loss).toBeLessThan(first.loss)
})

it('opens as its base with the adapter, also from `best`, by every function that opens a run', async () => {
  const [plain, adapted] = [await openAt(at('base')), await openAt(at('run'))]
  expect(adapted).not.toEqual(plain)
  const base = await fromPretrained(at('base'))
  await loadAdapters(base, { [at('run')]: 1 })
  expect(await logitsOf(base)).toEqual(adapted)
  expect(adaptersOf(base).map(({ name }) => name)).toEqual(['adapter-1'])
  expect(await openAt(at('run/best'))).toHaveLength(adapted.length)
  const { loss } = (await evaluateRun(at('run'))).metrics
  expect(loss).toBeCloseTo(Number(linesOf(at('run')).at(-1)?.val_loss), 4)
  const { metrics } = await evaluateRun(at('base'), at('text.txt'), {
    adapters: { [at('run')]: 1 },
  })
  const same = await evaluateRun(at('run'), at('text.txt'))
  expect(metrics).toEqual(same.metrics)
})

it('is described by a report, also after its base has moved', async () => {
  const [{ evaluation }] = (await describeRuns(at('run'))).runs
  expect(evaluation?.metrics.loss).toBeCloseTo(Number(linesOf(at('run')).at(-1)?.val_loss), 4)
  await cp(at('base'), at('base-2'), { recursive: true })
  const [moved] = (await describeRuns(at('run'), { base: at('base-2') })).runs
  expect(moved.evaluation?.metrics).toEqual(evaluation?.metrics)
})

it('computes the same after it was stopped and resumed', async () => {
  await trainTiny(at('stopped'), { ...keys, steps: 6 }, { stopAt: 3 })
  await trainTiny(at('stopped'), { ...keys, steps: 6 }, { resume: true })
  expect(await weightsOf(at('stopped'))).toEqual(await weightsOf(at('run')))
  const other = trainTiny(at('stopped'), { ...keys, adapter: 'ia3', steps: 8 }, { resume: true })
  await expect(other).rejects.toMatchObject({ code: 'invalid-option', details: { key: 'adapter' } })
})

it.each([
  'prompt:tokens=3,init=text,text=the cat sat',
  'p-tuning:tokens=3,hidden=5',
  'prefix:projection,tokens=2',
])(
  '%s computes the same after it was stopped and resumed, opens, and is trained further',
  async (adapter) => {
    const [whole, stopped, further] = ['whole', 'stopped', 'further'].map((part) => at(`${adapter.slice(0, 6)}-${part}`)) // biome-ignore format: one line
    const { adapter: _, ...rest } = keys
    await trainTiny(whole, { ...keys, adapter, steps: 6 })
    await trainTiny(stopped, { ...keys, adapter, steps: 6 }, { stopAt: 3 })
    await trainTiny(stopped, { ...keys, adapter, steps: 6 }, { resume: true })
    expect(await weightsOf(stopped)).toEqual(await weightsOf(whole))
    const { loss } = (await evaluateRun(whole)).metrics
    expect(loss).toBeCloseTo(Number(linesOf(whole).at(-1)?.val_loss), 4)
    expect(await readdir(whole)).not.toContain('adapter_training.safetensors')
    await trainTiny(further, { ...rest, from: whole, steps: 4 }, { stopAt: 2 })
    await trainTiny(further, { ...rest, from: whole, steps: 4 }, { resume: true })
    expect(await weightsOf(further)).not.toEqual(await weightsOf(whole))
  },
)

describe('training further', () => {
  const { adapter, ...further } = keys

  it('continues the adapter of the run, on the same base', async () => {
    await trainTiny(at('further'), { ...further, from: at('run'), steps: 2 })
    const { base } = JSON.parse(await readFile(at('further/task.json'), 'utf8'))
    expect(base).toEqual({ path: at('base'), sha256: before })
    expect(await weightsOf(at('further'))).not.toEqual(await weightsOf(at('run')))
  })

  it.each([
    ['adapter', { adapter: 'lora' }],
    ['train', { train: 'top:1' }],
  ])('refuses another %s', async (key, changes) => {
    const run = trainTiny(at(`other-${key}`), { ...further, from: at('run'), steps: 2, ...changes })
    await expect(run).rejects.toMatchObject({ code: 'invalid-option', details: { key } })
  })
})

it('an adapter is not trained on some layers of its base, because its run opens with all', async () => {
  const every = { teacher: at('base'), every: 2, steps: 2 }
  const { adapter, ...further } = { ...keys, ...every }
  for (const config of [
    { ...keys, ...every },
    { ...further, from: at('run') },
  ])
    await expect(trainTiny(at('every'), config)).rejects.toThrow(
      heedError('invalid-option', { key: 'every', value: 2 }),
    )
})

it.each([
  ['a new model', { from: undefined }, 'adapter'],
  ['a part of the weights', { train: 'head' }, 'train'],
])('an adapter cannot be trained with %s', async (_, changes, key) => {
  const run = (async () => trainTiny(at('refused'), { ...keys, steps: 2, ...changes }))()
  await expect(run).rejects.toMatchObject({ code: 'invalid-option', details: { key } })
})

describe('a base', () => {
  it('that has moved is named, and found with `base`', async () => {
    await rename(at('base'), at('moved'))
    try {
      await expect(openAt(at('run'))).rejects.toMatchObject({
        code: 'missing-file',
        details: { key: 'base', value: at('base') },
      })
      const there = await openAt(at('run'), { base: at('moved') })
      await rename(at('moved'), at('base'))
      expect(there).toEqual(await openAt(at('run')))
    } finally {
      await rename(at('moved'), at('base')).catch(() => {})
    }
  })

  it('that has moved is named with `base` to resume the run and to train the adapter further', async () => {
    await cp(at('base'), at('first'), { recursive: true })
    const changes = { ...keys, from: at('first'), schedule: 'constant' }
    await trainTiny(at('stays'), { ...changes, steps: 6 })
    await trainTiny(at('moves'), { ...changes, steps: 3 })
    await rename(at('first'), at('second'))
    const further = { ...keys, adapter: undefined, from: at('moves'), steps: 1 }
    const missing = heedError('missing-file', { key: 'base', value: at('first'), remedy: 'base' })
    await expect(trainTiny(at('onward'), further)).rejects.toThrow(missing)
    const nowhere = { ...further, base: at('nowhere') }
    await expect(trainTiny(at('onward'), nowhere)).rejects.toThrow(heedError('missing-file'))
    await trainTiny(at('onward'), { ...further, base: at('second') })
    const lost = { ...changes, steps: 6, base: at('nowhere') }
    await expect(trainTiny(at('moves'), lost, { resume: true })).rejects.toThrow(
      heedError('missing-file'),
    )
    await trainTiny(at('moves'), { ...changes, steps: 6, base: at('second') }, { resume: true })
    await openAt(at('moves/best'))
    expect(await weightsOf(at('moves'))).toEqual(await weightsOf(at('stays')))
    for (const run of ['moves', 'onward'])
      expect(JSON.parse(await readFile(at(`${run}/task.json`), 'utf8')).base).toEqual({ path: at('second'), sha256: before }) // biome-ignore format: one line
    await openAt(at('onward'))
    await openAt(at('moves'))
    expect((await heed('verify', at('moves'))).code).toBe(0)
  })

  it.each([
    ['a new model', { from: undefined, adapter: undefined }],
    ['all weights', { adapter: undefined }],
  ])('is refused for %s', async (_, changes) => {
    const run = trainTiny(at('refused'), { ...keys, base: at('base'), steps: 1, ...changes })
    await expect(run).rejects.toThrow(heedError('invalid-option', { key: 'base' }))
  })

  it('that has changed is refused; another that is named is used with a warning', async () => {
    await cp(at('base'), at('other'), { recursive: true })
    await trainTiny(at('newer'), { ...keys, adapter: undefined, from: at('base'), steps: 1 })
    await cp(at('newer/model.safetensors'), at('other/model.safetensors'))
    await rm(at('other/hashes.json'))
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await openAt(at('run'), { base: at('other') })
    expect(warned).toHaveBeenCalledWith(expect.stringContaining(at('other/model.safetensors')))
    warned.mockRestore()
    await cp(at('run'), at('of-other'), { recursive: true })
    const task = JSON.parse(await readFile(at('of-other/task.json'), 'utf8'))
    task.base.path = at('other')
    await writeFile(at('of-other/task.json'), JSON.stringify(task))
    await rm(at('of-other/hashes.json'))
    await utimes(at('other/model.safetensors'), new Date(), new Date(Date.now() + 1e4))
    await expect(openAt(at('of-other'))).rejects.toMatchObject({
      code: 'corrupt-file',
      details: { key: 'base', value: at('other') },
    })
  })

  it('is no option for a model without an adapter', async () => {
    await expect(openAt(at('base'), { base: at('base') })).rejects.toMatchObject({
      details: { key: 'base' },
    })
  })
})

it('trains over quantised blocks, which stay in the GGUF file', async () => {
  const file = await hashOf(GGUF)
  const { model } = await trainTiny(at('qlora'), { ...keys, model: 'llama', from: GGUF, steps: 4 })
  expect(model.namedModules().some(([, { unsaved }]) => unsaved === 'q8_0')).toBe(true)
  const [adapted, base] = [await openAt(at('qlora')), await openAt(GGUF)]
  expect(adapted).not.toEqual(base)
  expect(await hashOf(GGUF)).toBe(file)
})

describe('a base that is quantised in memory', () => {
  const wide = { ...keys, from: at('wide'), quantize: 'q4_1' }
  const { adapter: _, quantize: __, ...further } = wide
  const formatsOf = (model: Module): Set<string> =>
    new Set(model.namedModules().flatMap(([, { unsaved }]) => unsaved ?? []))
  const partsOf = async (path: string): Promise<(string | undefined)[]> =>
    (await fromPretrained(path, 'causal-lm')).namedModules().map(([, { unsaved }]) => unsaved)
  const baseOf = async (run: string) => JSON.parse(await readFile(join(run, 'task.json'), 'utf8')).base // biome-ignore format: one line

  let stored: string
  beforeAll(async () => {
    // Blocks have 32 numbers of a row.
    await trainTiny(at('wide'), { ...keys, adapter: undefined, from: undefined, lr: 1e-3, steps: 2, dim: 32 }) // biome-ignore format: one line
    stored = await hashOf(at('wide/model.safetensors'))
    await trainTiny(at('q4'), { ...wide, steps: 6 })
  })

  it('has no gradients, moments or checkpoints, and its file stays', async () => {
    const { model } = await trainTiny(at('q4-again'), { ...wide, steps: 1 })
    expect(formatsOf(model)).toEqual(new Set(['q4_1']))
    const [own, trained] = [model.parameters(), adaptersOf(model)[0].parameters()]
    expect(own.filter(({ requiresGrad }) => requiresGrad)).toEqual([])
    expect(trained.every(({ requiresGrad }) => requiresGrad)).toBe(true)
    expect(await readdir(at('q4'))).not.toContain('model.safetensors')
    expect(await hashOf(at('wide/model.safetensors'))).toBe(stored)
    expect(await baseOf(at('q4'))).toEqual({ path: at('wide'), sha256: stored, quantize: 'q4_1' })
    const [first, last] = [linesOf(at('q4'))[0], linesOf(at('q4')).at(-1)]
    expect(last?.val_loss).toBeLessThan(first.loss)
  })

  it('has the same blocks wherever the run is opened', async () => {
    const base = await fromPretrained(at('wide'), 'causal-lm')
    await quantize(base, 'q4_1')
    await loadAdapters(base, { [at('q4')]: 1 })
    expect(await openAt(at('q4'))).toEqual(await logitsOf(base))
    expect(await partsOf(at('q4/best'))).toEqual(await partsOf(at('q4')))
    const { loss } = (await evaluateRun(at('q4'))).metrics
    expect(loss).toBeCloseTo(Number(linesOf(at('q4')).at(-1)?.val_loss), 4)
    const { model } = await openRun(at('q4'))
    expect(formatsOf(model)).toEqual(new Set(['q4_1']))
  })

  it('computes the same after it was stopped and resumed', async () => {
    await trainTiny(at('q4-stopped'), { ...wide, steps: 6 }, { stopAt: 3 })
    await trainTiny(at('q4-stopped'), { ...wide, steps: 6 }, { resume: true })
    expect(await weightsOf(at('q4-stopped'))).toEqual(await weightsOf(at('q4')))
    const other = trainTiny(at('q4-stopped'), { ...wide, quantize: 'q8_0', steps: 8 }, { resume: true }) // biome-ignore format: one line
    await expect(other).rejects.toThrow(heedError('invalid-option', { key: 'quantize' }))
  })

  it('stays in these blocks when the adapter is trained further', async () => {
    const { model } = await trainTiny(at('q4-further'), { ...further, from: at('q4'), steps: 2 })
    expect(formatsOf(model)).toEqual(new Set(['q4_1']))
    expect(await baseOf(at('q4-further'))).toEqual(await baseOf(at('q4')))
  })

  it('is merged with the numbers of the folder', async () => {
    expect((await heed('merge', at('q4'), '--out', at('q4-merged'))).code).toBe(0)
    const plain = await fromPretrained(at('wide'), 'causal-lm')
    await loadAdapters(plain, { [at('q4')]: 1 })
    await mergeAdapters(plain)
    expect(await openAt(at('q4-merged'))).toEqual(await logitsOf(plain))
    expect(await openAt(at('q4'), { keepBlocks: false })).not.toEqual(await openAt(at('q4')))
  })

  it('keeps the numbers of modules that are trained whole, and of a new head', async () => {
    const saved = `${ADAPTER},save=lm_head`
    const { model } = await trainTiny(at('q4-saved'), { ...wide, adapter: saved, steps: 2 })
    expect(model.getModule('lm_head').unsaved).toBeUndefined()
    expect(await openAt(at('q4-saved'))).toEqual(await logitsOf(model as CausalLM))
    const rows = Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? 'the cat' : 'a dog', label: i % 2 })) // biome-ignore format: one line
    const data = [writeRows(at('labels.jsonl'), rows)]
    await trainTiny(at('q4-head'), { ...wide, task: 'text-classification', data, steps: 2 })
    const { model: classifier } = await openRun(at('q4-head'))
    expect(classifier.getModule('score').unsaved).toBeUndefined()
    expect(formatsOf(classifier)).toEqual(new Set(['q4_1']))
  })

  it('is trained by every method, over linear layers and the table that shares a weight', async () => {
    for (const adapter of ['ia3', 'dora:r=2', 'lora:r=2,targets=wte+c_attn']) {
      const run = at(`q4-${adapter.slice(0, 4)}`)
      const { model } = await trainTiny(run, { ...wide, adapter, steps: 2 })
      expect(await openAt(run)).toEqual(await logitsOf(model as CausalLM))
    }
  })

  it.each([
    ['a run without an adapter', { adapter: undefined }],
    ['an adapter that is trained further', { adapter: undefined, from: at('q4') }],
    ['a base in blocks of another format', { model: 'llama', from: GGUF }],
  ])('is refused for %s', async (_, changes) => {
    const run = (async () => trainTiny(at('q4-refused'), { ...wide, steps: 2, ...changes }))()
    await expect(run).rejects.toThrow(heedError('invalid-option', { key: 'quantize', value: 'q4_1' })) // biome-ignore format: one line
  })

  it('may be in blocks of this format already', async () => {
    const gguf = fileURLToPath(new URL('../fixtures/gguf/gpt2.gguf', import.meta.url))
    const base: Module = await fromPretrained(gguf, 'causal-lm')
    const before = base.namedModules()
    await quantizeBase(base, 'q8_0')
    expect(formatsOf(base)).toEqual(new Set(['q8_0']))
    expect(base.namedModules()).toEqual(before)
  })
})

describe('a new head', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? 'the cat' : 'a dog', label: i % 2 })) // biome-ignore format: one line

  it('is trained whole, saved with the adapter, and predicts', async () => {
    const data = [writeRows(at('rows.jsonl'), rows)]
    const task = 'text-classification'
    const outcome = await trainTiny(at('head'), { ...keys, task, data, epochs: 4 })
    const config = JSON.parse(await readFile(at('head/adapter_config.json'), 'utf8'))
    expect(config.modules_to_save).toEqual(['score'])
    const { task: opened, model, inputColumn } = await openRun(at('head'))
    const given = rows.slice(0, 3).map((values, i) => ({ values, file: 'x', number: i + 1 }))
    expect(inputColumn).toBe('text')
    expect(await opened.predict(model, given)).toEqual(await outcome.task.predict(outcome.model, given)) // biome-ignore format: one line
    await mergeAdapters(model)
    const merged = await opened.predict(model, given)
    expect(merged.map(({ label }) => label)).toEqual(['0', '1', '0'])
  })
})

it('new tokens are learnt in the embeddings and in the output layer that shares their weight', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ prompt: `q${i % 5}`, completion: 'abcd'[i % 4] })) // biome-ignore format: one line
  const data = [writeRows(at('chats.jsonl'), rows)]
  await trainTiny(at('new-tokens'), { ...keys, task: 'chat', template: 'chatml', data, context: 48, steps: 30, lr: 0.02, evalEvery: 0, saveEvery: 0 }) // biome-ignore format: one line
  const { modules_to_save } = JSON.parse(await readFile(at('new-tokens/adapter_config.json'), 'utf8')) // biome-ignore format: one line
  expect(modules_to_save).toEqual(['transformer.wte', 'lm_head'])
  // A guess among four letters, and the token that ends the turn for sure.
  expect(linesOf(at('new-tokens')).at(-1)?.loss).toBeLessThan(1.2)
  expect(await openAt(at('new-tokens'))).toHaveLength(4 * (await fromPretrained(at('new-tokens'), 'causal-lm')).vocabSize) // biome-ignore format: one line
})

describe('on the command line', () => {
  const generated = async (...words: string[]): Promise<string> => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const { code } = await heed('generate', ...words, '--prompt', 'the', '--temperature', '0', '--tokens', '12') // biome-ignore format: one line
    const text = written.mock.calls.map(([piece]) => String(piece)).join('')
    written.mockRestore()
    expect(code).toBe(0)
    return text
  }

  it('a run with a prompt and a base with it write the same, and its cache computes what no cache does', async () => {
    await trainTiny(at('prompt'), { ...keys, adapter: 'prompt:tokens=3', steps: 6 })
    const run = await generated(at('prompt'))
    expect(run).not.toBe(await generated(at('base')))
    expect(await generated(at('base'), '--adapter', at('prompt'))).toBe(run)
    const shown = await heed('inspect', at('prompt'), '--all')
    expect(shown.out).toContain('λ·Δh')
    const merged = await heed('merge', at('prompt'), '--out', at('merged-prompt'))
    expect([merged.code, merged.mistake]).toEqual([2, expect.stringContaining('prompt')])
  })

  it('a run, a base with --adapter, and a merged folder write the same', async () => {
    const run = await generated(at('run'))
    expect(await generated(at('base'), '--adapter', at('run'))).toBe(run)
    expect(await generated(at('base'), '--adapter', `${at('run')}:0`)).toBe(await generated(at('base'))) // biome-ignore format: one line
    const { code, out } = await heed('merge', at('run'), '--out', at('merged'))
    expect([code, out]).toEqual([0, expect.stringContaining('GPT2')])
    expect(await generated(at('merged'))).toBe(run)
  })

  it('heed inspect shows what an adapter computes and trains, planned or of a run', async () => {
    const planned = await heed('inspect', at('base'), '--adapter', ADAPTER)
    const trained = await heed('inspect', at('run'), '--all')
    expect(trained.out).toContain('transformer.h.1.mlp.c_fc.lora_A.weight')
    for (const { code, out } of [planned, trained]) {
      expect(code).toBe(0)
      expect(out).toMatch(/h ← h \+ α\/r·Δh/)
      // Each layer has four matrices: 2·((16 + 48) + (16 + 16) + (16 + 64) + (64 + 16)) numbers.
      expect(out).toMatch(/trains .*\(1024\)/)
    }
  })

  it.each([
    ['a model without adapters', () => ['merge', at('base'), '--out', at('x')], '--adapter'],
    ['a folder that has a model', () => ['merge', at('run'), '--out', at('base')], '--out'],
    ['a run to quantize', () => ['generate', at('run'), '--quantize', 'q8_0'], 'mergeAdapters'],
    [
      'one adapter twice',
      () => ['generate', at('base'), '--adapter', 'x', '--adapter', 'x'],
      'once',
    ],
  ] as const)('refuses %s', async (_, words, says) => {
    const { code, mistake } = await heed(...words())
    expect([code, mistake]).toEqual([2, expect.stringContaining(says)])
  })
})
