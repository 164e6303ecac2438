import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pipeline } from '../../src/pipelines/index.ts'
import { openRun } from '../../src/train/open-run.ts'
import { heedError } from '../support/heed-error.ts'
import { linesOf, scratch, trainTiny, weightsOf, writeRows } from './support.ts'

const at = scratch()

const subjects = ['the film', 'this meal', 'our hotel', 'that book', 'her song', 'the trip']
const good = ['was lovely', 'made us happy', 'is a joy', 'was great fun']
const bad = ['was awful', 'made us sad', 'is a bore', 'was a mess']
const rowsOf = (names: [string, string]) =>
  subjects.flatMap((subject) =>
    [...good, ...bad].map((words, i) => ({
      text: `${subject} ${words}`,
      label: names[i < good.length ? 1 : 0],
    })),
  )
const data = [writeRows(at('opinions.jsonl'), rowsOf(['bad', 'good']))]

const keys = { task: 'text-classification', data, epochs: 16, lr: 4e-3, warmup: 5, dropout: 0 }
const rowOf = (values: Record<string, unknown>) => ({ values, file: 'x.jsonl', number: 1 })

describe('classification', () => {
  it.each(['bert', 'distilbert', 'roberta', 'gpt2', 'openai-gpt', 'llama', 'bloom'])(
    'is learnt by %s',
    async (model) => {
      const out = at(`learns-${model}`)
      const { evaluation } = await trainTiny(out, {
        ...keys,
        model,
        tokenizer: 'char',
        context: 48,
      })
      expect(evaluation?.metrics.accuracy).toBe(1)
      const { task, model: opened } = await openRun(out)
      const [row] = await task.predict(opened, [rowOf({ text: 'the trip was awful' })])
      expect(row).toMatchObject({ label: 'bad' })
    },
  )

  it('leaves a folder for the pipeline, with the labels that the data has', async () => {
    const out = at('piped')
    await trainTiny(out, { ...keys, model: 'bert' })
    const classify = await pipeline('text-classification', out)
    expect(await classify('our hotel is a joy')).toMatchObject([{ label: 'good' }])
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))
    expect(config.id2label).toEqual({ 0: 'bad', 1: 'good' })
    expect(config.architectures).toEqual(['BertForSequenceClassification'])
  })

  it('goes on bit for bit where it stopped', async () => {
    const settings = { ...keys, model: 'bert', dropout: 0.2, epochs: 6, evalEvery: 5, saveEvery: 4 }
    await trainTiny(at('whole'), settings)
    const { finished } = await trainTiny(at('parts'), settings, { stopAt: 7 })
    expect(finished).toBe(false)
    await trainTiny(at('parts'), settings, { resume: true })
    expect(await weightsOf(at('parts'))).toEqual(await weightsOf(at('whole')))
    expect(linesOf(at('parts'))).toEqual(linesOf(at('whole')))
  })

  it('of several labels a text tells each by itself', async () => {
    const rows = rowsOf(['bad', 'good']).map(({ text, label }) => ({
      text,
      label: /film|book|song/.test(text) ? [label, 'art'] : [label],
    }))
    const file = writeRows(at('several.jsonl'), rows)
    const settings = {
      ...keys,
      data: [file],
      model: 'bert',
      multiLabel: true,
      epochs: 40,
      set: { initializer_range: 0.2 },
    }
    const { task, model, evaluation } = await trainTiny(at('several'), settings)
    expect(evaluation?.metrics.f1).toBeGreaterThan(0.9)
    const [row] = await task.predict(model, [rowOf({ text: 'the film was a mess' })])
    expect(row.labels).toEqual(['art', 'bad'])
  })

  it('has pairs of texts, both of which matter', async () => {
    const rows = rowsOf(['bad', 'good']).map(({ text, label }, i) => ({
      text: text.split(' ').slice(0, 2).join(' '),
      second: text.split(' ').slice(2).join(' '),
      label: `${label} ${Math.floor(i / 8) % 2 ? 'odd' : 'even'}`, // one by the second text, one by the first
    }))
    const file = writeRows(at('pairs.jsonl'), rows)
    const settings = { ...keys, data: [file], model: 'bert', pairColumn: 'second' }
    const { evaluation } = await trainTiny(at('pairs'), settings)
    expect(evaluation?.metrics.accuracy).toBe(1)
  })

  it('predicts the next token beside the label, where that is asked for', async () => {
    const settings = { ...keys, model: 'openai-gpt', epochs: 4 }
    const [alone, joint] = [at('alone'), at('joint')]
    await trainTiny(alone, settings)
    await trainTiny(joint, { ...settings, lmWeight: 0.5 })
    const first = linesOf(joint)[0].loss - linesOf(alone)[0].loss
    const vocabulary = JSON.parse(readFileSync(join(joint, 'config.json'), 'utf8')).vocab_size
    expect(first / (0.5 * Math.log(vocabulary))).toBeCloseTo(1, 1) // untrained: all tokens alike
    await expect(
      trainTiny(at('none'), { ...settings, model: 'bert', lmWeight: 0.5 }),
    ).rejects.toThrow(heedError('unsupported', { mentions: 'next-token' }))
  })
})

describe('fine-tuning', () => {
  it('gives a model of other labels a new head, and says so', async () => {
    await trainTiny(at('first'), { ...keys, model: 'bert' })
    const rows = rowsOf(['bad', 'good']).map((row, i) => (i % 5 ? row : { ...row, label: 'odd' }))
    const file = writeRows(at('three.jsonl'), rows)
    const settings = { ...keys, data: [file], model: 'bert', from: at('first'), epochs: 1 }
    const { model } = await trainTiny(at('second'), settings)
    expect((model as unknown as { labels: string[] }).labels).toEqual(['bad', 'good', 'odd'])
    const [before, after] = [await weightsOf(at('first')), await weightsOf(at('second'))]
    expect(after.get('classifier.bias')).toHaveLength(3)
    const word = 'bert.embeddings.position_embeddings.weight'
    expect(after.get(word)).toHaveLength(before.get(word)?.length ?? 0)
  })

  it.each([
    ['head', /^(classifier|bert\.pooler)\./],
    ['top:1', /^(classifier|bert\.pooler|bert\.encoder\.layer\.1)\./],
  ])('changes %s alone, and keeps state for that alone', async (train, changed) => {
    const out = at(`only-${train.replace(':', '-')}`)
    await trainTiny(out, { ...keys, model: 'bert', from: at('first'), epochs: 1, train, lr: 1e-2 })
    const [before, after] = [await weightsOf(at('first')), await weightsOf(out)]
    for (const [name, values] of after) {
      const same = JSON.stringify(values) === JSON.stringify(before.get(name))
      expect([name, same]).toEqual([name, !changed.test(name)])
    }
    const { openSafetensors } = await import('../../src/io/safetensors/safetensors.ts')
    const { latestCheckpoint } = await import('../../src/io/files/checkpoint.ts')
    const checkpoint = await latestCheckpoint(out)
    const file = await openSafetensors(checkpoint?.files['optimizer.safetensors'] as string)
    expect(file.names.length).toBeGreaterThan(0)
    expect(file.names.filter((name) => !changed.test(name))).toEqual([])
    await file.close()
  })

  it('refuses what a model has not', async () => {
    const from = at('first')
    const run = (more: object) => trainTiny(at('none'), { ...keys, model: 'bert', from, ...more })
    await expect(run({ train: 'top:3' })).rejects.toThrow(
      heedError('invalid-option', { key: 'train', value: 'top:3', mentions: ['top:1', 'top:2'] }),
    )
    await expect(run({ model: 'gpt2' })).rejects.toThrow(
      heedError('invalid-option', { key: 'model', value: 'gpt2', mentions: '(bert)' }),
    )
    await expect(run({ layers: 3 })).rejects.toThrow(
      heedError('invalid-option', { key: 'layers', value: 3, mentions: '`from`' }),
    )
    await expect(run({ set: { hidden_drop: 0 } })).rejects.toThrow(
      heedError('unknown-name', { mentions: 'hidden_drop', remedy: 'hidden_dropout_prob' }),
    )
  })
})

describe('wrong rows', () => {
  const run = (rows: object[], more: object = {}) =>
    trainTiny(at('none'), {
      ...keys,
      data: [writeRows(at('wrong.jsonl'), rows)],
      model: 'bert',
      ...more,
    })

  it('are told together, whether they cannot be read or mean nothing', async () => {
    const file = at('mixed.jsonl')
    writeFileSync(
      file,
      '{"text":"a","label":"x"}\n{"txt":"b"}\nnot json\n{"text":"c","label":""}\n',
    )
    const wrong = trainTiny(at('mixed'), { ...keys, data: [file], model: 'bert' })
    await expect(wrong).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['3 rows', ':2: ', "'label'", ':3: ', 'JSON', ':4: ', "'label'", '""'],
      }),
    )
  })

  it('are named with file and row, all of them', async () => {
    const rows: object[] = rowsOf(['bad', 'good'])
    rows[2] = { text: 'no label' }
    rows[5] = { text: 7.5, label: { is: 'bad' } }
    await expect(run(rows)).rejects.toThrow(
      heedError('invalid-data', {
        mentions: ['wrong.jsonl:3', "'label'", 'wrong.jsonl:6', "'label'"],
      }),
    )
    await expect(
      run([
        { text: '', label: 'a' },
        { text: 'x', label: 'b' },
      ]),
    ).rejects.toThrow(heedError('invalid-data', { mentions: ['wrong.jsonl:1', "'text'"] }))
  })

  it('have one label only, or labels that the training data lacks', async () => {
    await expect(run([{ text: 'x', label: 'a' }])).rejects.toThrow(
      heedError('invalid-data', { key: 'labelColumn', value: 'label', mentions: "'a'" }),
    )
    const other = writeRows(at('other.jsonl'), [{ text: 'x', label: 'goood' }])
    await expect(run(rowsOf(['bad', 'good']), { valData: [other] })).rejects.toThrow(
      heedError('invalid-data', { mentions: ['other.jsonl:1', "'goood'"] }),
    )
  })
})
