import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readJsonObject } from '../../src/io/files/json.ts'
import { modelFolder, readConfig } from '../../src/io/hub/hf.ts'
import { assertFinite, openSafetensors } from '../../src/io/safetensors/safetensors.ts'
import { f32ToBf16, f32ToF16 } from '../../src/util/float16.ts'
import { FIXTURES, readCases } from '../fixtures/cases.ts'
import {
  batches,
  type ParameterRule,
  parameterValues,
  weightsChecksum,
} from '../fixtures/training-rules.ts'

describe('files that PyTorch wrote', () => {
  it.each(['composites', 'ops', 'optimizers'] as const)('%s has whole cases', async (topic) => {
    for (const { name, output, upstream, grad, input } of await readCases(topic)) {
      expect(Object.keys(output), name).not.toHaveLength(0)
      for (const [key, { shape }] of Object.entries(grad)) expect(shape).toEqual(input[key].shape)
      for (const [key, { shape }] of Object.entries(upstream))
        expect(shape).toEqual(output[key].shape)
    }
  })

  it('agree with our rounding to 16 bits', async () => {
    const cases = await readCases('ops')
    const convert = { 'cast.float16': f32ToF16, 'cast.bfloat16': f32ToBf16 }
    for (const [name, encode] of Object.entries(convert)) {
      const found = cases.find((c) => c.name === name)
      const bits = encode(found?.input.input.data as Float32Array)
      expect(Int16Array.from(bits)).toEqual(found?.output.y.data)
    }
  })

  it.each(['base', 'small', 'f16', 'bf16', 'untied', 'n_inner', 'old_keys'])(
    'gpt2/%s is a model folder with finite weights',
    async (model) => {
      const folder = join(FIXTURES, 'gpt2', model)
      expect(await readConfig(folder)).toMatchObject({ model_type: 'gpt2' })
      const file = await openSafetensors((await modelFolder(folder)).weights)
      expect(file.metadata).toEqual({ format: 'pt' })
      for (const name of file.names)
        assertFinite(await file.read(name, { as: 'f32' }), name, file.path)
      await file.close()
    },
  )
})

describe('the training fixture', async () => {
  const json = await readJsonObject(join(FIXTURES, 'training.json'))

  it('has weights that the rule repeats', () => {
    const rules = json.parameters as unknown as ParameterRule[]
    expect(weightsChecksum(rules.map((rule) => parameterValues(rule)))).toBe(json.checksum)
  })

  it('has batches that the rule repeats', () => {
    const first = batches(1).next().value
    expect(first[0]).toEqual(json.firstRow)
    expect(first.at(-1)).toEqual(json.lastRow)
  })
})
