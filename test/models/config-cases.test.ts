// Each key of config.json changes the output as in transformers, and is as lenient: see scripts/fixtures/config_cases.py.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { exceptionOf } from '../../scripts/config-exceptions.ts'
import { type Tensor, tensor } from '../../src/index.ts'
import { modelDefinition } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { fillWeights } from './filled-weights.ts'

interface ConfigCases {
  head: string
  config: { model_type: string; architectures: string[] } & Record<string, unknown>
  inputs: Record<string, [number[], number[]]>
  /** Names and shapes of the checkpoint's. */
  weights: Record<string, number[]>
  numbers: number[]
  /** [key, value, numbers of the output]. */
  changed: [string, unknown, number[]][]
  /** Values that change nothing. */
  same: [string, unknown][]
}

const all: Record<string, ConfigCases> = JSON.parse(
  readFileSync(join(FIXTURES, 'config-cases.json'), 'utf8'),
)

// Some of the values cause warnings, which are tested elsewhere.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
afterAll(() => void vi.restoreAllMocks())

describe.each(Object.entries(all))(
  '%s',
  (_, { config, inputs, weights, numbers, changed, same }) => {
    const { heads } = modelDefinition(config.model_type)
    const Model = heads.find(({ architectures }) => architectures.includes(config.architectures[0]))
    const make = (change: object): Module =>
      new (Model ?? heads[0])({ ...config, ...change } as never)

    async function run(change: object): Promise<number[]> {
      const model = fillWeights(make(change), weights).eval()
      const dtype = 'pixel_values' in inputs ? 'f32' : 'i32'
      const [first, second] = Object.values(inputs).map(([shape, data]) =>
        tensor(data, { shape, dtype }),
      )
      const forward = model.forward as (...args: unknown[]) => Tensor
      const output = forward(first, ...('decoder_input_ids' in inputs ? [second] : []))
      return Array.from(await output.data())
        .slice(-40)
        .slice(0, numbers.length)
    }

    const close = (got: readonly number[], want: readonly number[], about: string): void =>
      want.forEach((x, i) => {
        expect(Math.abs(got[i] - x), about).toBeLessThan(3e-4 * Math.max(1, Math.abs(x)))
      })

    it('has the numbers of transformers', async () => {
      expect(Model).toBeDefined()
      close(await run({}), numbers, 'unchanged')
    })

    it('changes with each key as transformers does', async () => {
      const isMeant = ([key, value]: [string, unknown, number[]]): boolean =>
      ['refused', 'different'].some((kind) => exceptionOf(kind as 'refused', config.model_type, key, value)) // biome-ignore format: one line
      for (const [key, value, wanted] of changed.filter((change) => !isMeant(change)))
        close(await run({ [key]: value }), wanted, `${key}: ${JSON.stringify(value)}`)
    })

    it('accepts what transformers accepts', () => {
      const refused = same.flatMap(([key, value]) => {
        try {
          make({ [key]: value })
          return []
        } catch (error) {
          if (exceptionOf('refused', config.model_type, key, value)) return []
          return [`${key} ${JSON.stringify(value)}: ${(error as Error).message}`]
        }
      })
      expect(refused).toEqual([])
    })
  },
)
