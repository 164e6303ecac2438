import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { dropoutKeys } from '../../src/models/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { newTaskModel } from '../../src/train/task-model.ts'
import { heedError } from '../support/heed-error.ts'
import { scratch, trainTiny, writeRows } from './support.ts'

const at = scratch()

const taskOf = (model?: string): string => parseTrainConfig({ model, data: ['x.txt'] }).task

it.each([
  [undefined, 'text-generation'],
  ['llama', 'text-generation'],
  ['bert', 'fill-mask'],
  ['t5', 'span-corruption'],
  ['marian', 'translation'],
  ['seq2seq_rnn', 'translation'],
  ['resnet', 'image-classification'],
])('%s learns %s where nobody says what', (model, task) => {
  expect(taskOf(model)).toBe(task)
})

it('says what a model learns that has no head for the task', async () => {
  const config = parseTrainConfig({ model: 'vit', task: 'translation', data: ['x.txt'] })
  await expect(newTaskModel(config)).rejects.toThrow(
    heedError('unsupported', { key: 'task', mentions: ["'vit'", 'translation'] }),
  )
  const unknown = parseTrainConfig({ model: 'vitt', data: ['x.txt'] })
  await expect(newTaskModel(unknown)).rejects.toThrow(
    heedError('unknown-name', { key: 'model type', value: 'vitt' }),
  )
})

it('drops as the model that is fine-tuned does, unless it is told otherwise', async () => {
  const rows = ['good', 'bad'].flatMap((label) => [{ text: `so ${label}`, label }, { text: label, label }]) // biome-ignore format: one line
  const data = [writeRows(at('rows.jsonl'), rows)]
  const keys = {
    model: 'bert',
    task: 'text-classification',
    data,
    steps: 1,
    valFraction: 0,
    batch: 2,
  }
  const dropoutOf = (run: string): number =>
    JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')).hidden_dropout_prob
  await trainTiny(at('new'), { ...keys, tokenizer: 'char', dropout: 0.25 })
  expect(dropoutOf(at('new'))).toBe(0.25)
  await trainTiny(at('same'), { ...keys, from: at('new') })
  expect(dropoutOf(at('same'))).toBe(0.25)
  await trainTiny(at('other'), { ...keys, from: at('new'), dropout: 0.5 })
  expect(dropoutOf(at('other'))).toBe(0.5)
  expect(() => dropoutKeys('resnet', 0.1)).toThrow(
    heedError('unsupported', { key: 'dropout', value: 0.1, mentions: 'ResNet' }),
  )
})
