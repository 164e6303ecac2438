import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generateTokens } from '../../src/generate/index.ts'
import { F, type Tensor, tensor } from '../../src/index.ts'
import { readJsonObject } from '../../src/io/files/json.ts'
import { openSafetensors, type Safetensors } from '../../src/io/safetensors/safetensors.ts'
import {
  type CausalLM,
  fromPretrained,
  loadWeights,
  modelClass,
  modelTypes,
  savePretrained,
} from '../../src/models/index.ts'
import { captureActivations } from '../../src/nn/index.ts'
import { FIXTURES } from '../fixtures/cases.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { expectClose } from '../support/close.ts'
import { onEach, oneOfEach } from '../support/devices.ts'

/** Decoders with fixtures of scripts/fixtures/decoders.py. */
const families = modelTypes().filter((type) => existsSync(join(FIXTURES, type, 'base', 'expected')))

/** Where a family's layers are, and the module whose output the head reads. */
function pathsOf(family: string): { layers: string; states: string } {
  const { layerLists = [], base = [] } = modelClass(family)
  return { layers: layerLists[0], states: [base].flat()[0] }
}

const TOLERANCE = 1e-4

const variantsOf = (family: string, model: string): string[] =>
  readdirSync(join(FIXTURES, family, model, 'expected'))
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -5))

const modelsOf = (family: string): string[] =>
  readdirSync(join(FIXTURES, family)).filter((name) => !name.startsWith('classifier'))

onEach(oneOfEach, () => {
  describe.each(families)('%s', (family) => {
    const cases = modelsOf(family).flatMap((model) =>
      variantsOf(family, model).map((variant) => [model, variant] as const),
    )
    const plain = cases.filter(([, variant]) => variant !== 'padded')
    it.each(plain)('%s, %s: computes what transformers computes', async (name, variant) => {
      const { told, expected, model } = await load(family, name, variant)
      const want = (key: string): Promise<Tensor> => read(expected, key)
      const ids = await want('input_ids')
      const tokens = ids.shape[1]
      const { layers, states } = pathsOf(family)
      const { result: logits, activations } = captureActivations(
        model,
        [`${layers}.0`, states],
        () => model.forward(ids),
      )
      const loss = F.crossEntropy(logits.narrow(1, 0, tokens - 1), ids.narrow(1, 1, tokens - 1))
      loss.backward()
      await expectClose(logits, await want('logits'), TOLERANCE)
      expect(await loss.item()).toBeCloseTo(told.loss as number, 4)
      const parameters = new Map(model.namedParameters())
      for (const key of told.gradients as string[])
        await expectClose(parameters.get(key)?.grad as Tensor, await want(`grad.${key}`), 1e-3)
      if (expected.has('hidden_states.0')) {
        const last = expected.names.filter((key) => key.startsWith('hidden_states')).length - 1
        await expectClose(
          activations.get(`${layers}.0`) as Tensor,
          await want('hidden_states.1'),
          TOLERANCE,
        )
        await expectClose(
          activations.get(states) as Tensor,
          await want(`hidden_states.${last}`),
          TOLERANCE,
        )
      }
      await expected.close()

      const made: number[] = []
      const greedy = told.greedy as number[]
      const options = { temperature: 0, maxTokens: greedy.length }
      for await (const token of generateTokens(model, told.prompt as number[], options))
        made.push(token)
      expect(made).toEqual(greedy)
    })

    const padded = cases.filter(([, variant]) => variant === 'padded')
    it.each(padded)('%s, %s: counts over padding on both sides', async (name, variant) => {
      const { expected, model } = await load(family, name, variant)
      const [ids, attentionMask] = [
        await read(expected, 'input_ids'),
        await read(expected, 'attention_mask'),
      ]
      const want = await read(expected, 'logits')
      await expected.close()
      const counted = attentionMask.unsqueeze(-1).to('f32')
      await expectClose(model.forward(ids, { attentionMask }).mul(counted), want, TOLERANCE)

      // The same in three parts, with room to spare.
      const [batch, tokens] = ids.shape
      const cache = model.createCache({ batch, capacity: tokens + 3 })
      const room = attentionMask.pad([[0, 3]])
      for (const [start, size] of [
        [0, 5],
        [5, 1],
        [6, tokens - 6],
      ]) {
        const part = model.forward(ids.narrow(1, start, size), { cache, attentionMask: room })
        const own = part.mul(counted.narrow(1, start, size))
        await expectClose(own, want.narrow(1, start, size), TOLERANCE)
        cache.advance(size)
      }
    })

    it.each(modelsOf(family))('%s comes back as it was saved', async (name) => {
      const original = join(FIXTURES, family, name)
      const copy = await temporaryFolder()
      const model = await fromPretrained(original)
      await savePretrained(model, copy)
      const again = await fromPretrained(copy)
      expect(again.config).toEqual(model.config)
      const ids = tensor([[3, 1, 4, 1, 5, 9]], { dtype: 'i32' })
      expect(await again.forward(ids).data()).toEqual(await model.forward(ids).data())
      const [was, is] = [
        await readJsonObject(join(original, 'config.json')),
        await readJsonObject(join(copy, 'config.json')),
      ]
      for (const key of Object.keys(is))
        if (key in was && !/dtype$/.test(key)) expect(is[key], key).toEqual(was[key])
    })
  })

  it.each([...families, 'gpt2_classifier'].filter(hasClassifier))(
    '%s labels texts by their last token',
    async (family) => {
      const dir = join(FIXTURES, family, 'classifier')
      const { told, expected } = await open(dir, 'base')
      const want = (key: string): Promise<Tensor> => read(expected, key)
      const model = await fromPretrained(dir, 'sequence-classification')
      const ids = await want('input_ids')
      const options = { attentionMask: await want('attention_mask') }
      const [head] = told.gradients as string[]
      expect(model.labels).toEqual(['LABEL_0', 'LABEL_1', 'LABEL_2'])
      await expectClose(model.forward(ids, options), await want('logits'), TOLERANCE)
      const loss = model.loss(ids, await want('labels'), options)
      loss.backward()
      expect(await loss.item()).toBeCloseTo(told.loss as number, 4)
      const grad = new Map(model.namedParameters()).get(head)?.grad as Tensor
      await expectClose(grad, await want(`grad.${head}`), 1e-3)
      // Without a mask, ids that are padding tell where the texts end.
      const last = model.forward(ids.slice([1, 2], [0, 7]))
      await expectClose(model.forward(ids.slice([1, 2])), last, TOLERANCE)
      await expected.close()
    },
  )
})

const hasClassifier = (family: string): boolean => existsSync(join(FIXTURES, family, 'classifier'))

async function load(family: string, name: string, variant: string) {
  const dir = join(FIXTURES, family, name)
  const { told, expected } = await open(dir, variant)
  // GPT-Neo's list takes precedence over the key from which it is derived.
  const { attention_layers, ...config } = await readJsonObject(join(dir, 'config.json'))
  const Model = modelClass(family)
  const model = new Model({ ...config, ...(told.overrides as object) } as never) as CausalLM
  await loadWeights(model, join(dir, 'model.safetensors'))
  return { told, expected, model: model.eval() }
}

async function open(dir: string, variant: string) {
  const told = await readJsonObject(join(dir, 'expected', `${variant}.json`))
  return { told, expected: await openSafetensors(join(dir, 'expected', `${variant}.safetensors`)) }
}

async function read(file: Safetensors, key: string): Promise<Tensor> {
  const { dtype, shape } = file.info(key)
  if (dtype === 'f32') return tensor(await file.read(key, { as: 'f32' }), { shape })
  const whole = tensor(await file.read(key, { as: 'i32' }), { shape })
  return dtype === 'bool' ? whole.ne(0) : whole
}
