import { expect, it } from 'vitest'
import { parseTrainConfig } from '../../src/train/config.ts'
import { newSubject } from '../../src/train/subject.ts'

const taskOf = (model?: string): string => parseTrainConfig({ model, data: ['x.txt'] }).task

it.each([
  [undefined, 'language-modeling'],
  ['llama', 'language-modeling'],
  ['bert', 'masked-lm'],
  ['t5', 'span-corruption'],
  ['marian', 'translation'],
  ['seq2seq_rnn', 'translation'],
  ['resnet', 'image-classification'],
])('%s learns %s where nobody says what', (model, task) => {
  expect(taskOf(model)).toBe(task)
})

it('says what a model learns that has no head for the task', async () => {
  const config = parseTrainConfig({ model: 'vit', task: 'translation', data: ['x.txt'] })
  await expect(newSubject(config)).rejects.toThrow("A 'vit' cannot learn translation")
  const unknown = parseTrainConfig({ model: 'vitt', data: ['x.txt'] })
  await expect(newSubject(unknown)).rejects.toThrow("The model type 'vitt' is not known")
})
