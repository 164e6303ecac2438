// The names of tasks: one set for training, pipelines and commands; former names remain valid.
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { headsOf } from '../../src/models/index.ts'
import { formerTaskNames, headFor, taskHeads } from '../../src/models/task-names.ts'
import { taskNames } from '../../src/pipelines/index.ts'
import { parseTrainConfig } from '../../src/train/config.ts'
import { openRun, RunFolder, trainTasks } from '../../src/train/index.ts'
import { taskDefinitions } from '../../src/train/tasks/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { heedError } from '../support/heed-error.ts'

/** The model that each former name was used with. */
const models: Record<string, string> = { 'text-to-text': 't5', 'language-modeling': 'gpt2' }

function hintsOf(work: () => unknown): string[] {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  try {
    work()
    return warn.mock.calls.map(([line]) => String(line))
  } finally {
    warn.mockRestore()
  }
}

describe('former names', () => {
  it.each(Object.entries(formerTaskNames))('%s is %s, with a hint the first time', (old, name) => {
    const raw = { task: old, model: models[old] ?? 'bert', data: ['x'] }
    const hints = hintsOf(() => expect(parseTrainConfig(raw).task).toBe(name))
    expect(hints).toEqual([`heed: the task '${old}' is now called '${name}'.`])
    expect(hintsOf(() => parseTrainConfig(raw))).toEqual([])
    expect(hintsOf(() => parseTrainConfig({ ...raw, task: name }))).toEqual([])
  })

  it.each([
    ['text', 'text-generation'],
    ['masked-lm', 'fill-mask'],
    ['classification', 'text-classification'],
    ['tagging', 'token-classification'],
    ['sentence-pairs', 'feature-extraction'],
    ['text-to-text', 'text2text-generation'],
  ])('the old run %s opens silently as %s', async (run, name) => {
    const warn = vi.spyOn(console, 'warn')
    const folder = join(FIXTURES, 'old-runs', run)
    expect((await openRun(folder)).task.name).toBe(name)
    expect((await new RunFolder(folder).latest())?.state.config.task).toBe(name)
    expect(warn).not.toHaveBeenCalledWith(expect.stringContaining('is now called'))
    warn.mockRestore()
  })

  it('are suggested with the present one', () => {
    const raw = { task: 'taging', model: 'bert', data: ['x'] }
    expect(() => parseTrainConfig(raw)).toThrow(
      heedError('unknown-name', {
        remedy: ['token-classification (formerly tagging)?', 'text-generation'],
      }),
    )
  })
})

it('pipelines and training use the same names', () => {
  const objectives = taskDefinitions().flatMap(({ name, isObjective }) =>
    isObjective ? [name] : [],
  )
  expect(trainTasks().sort()).toEqual([...taskNames(), ...objectives].sort())
  expect(Object.keys(taskHeads).sort()).toEqual([...taskNames(), ...objectives].sort())
})

it('a task stands for its head', () => {
  expect(headFor('text-classification')).toBe('sequence-classification')
  expect(headFor('causal-lm')).toBe('causal-lm')
  expect(headsOf('bert')).toContain(headFor('feature-extraction'))
})
