// Adapters in plain PyTorch (scripts/fixtures/adapter_references.py), and an adapter that was pickled.
import { readdirSync } from 'node:fs'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { addAdapter, loadAdapter } from '../../src/adapt/index.ts'
import { openSafetensors } from '../../src/io/index.ts'
import { randn } from '../../src/tensor/index.ts'
import { HeedError } from '../../src/util/errors.ts'
import { temporaryFolder } from '../io/temporary-folder.ts'
import { far, fixtures, open } from './adapter-cases.ts'

const folder = join(fixtures, 'adapter-references')

it.each(readdirSync(folder))('%s computes what PyTorch computes', async (name) => {
  const { model, wanted, logits, loss } = await open(folder, name)
  const before = await logits().data()
  const adapter = await loadAdapter(model, join(folder, name))
  const results = wanted.get('logits')?.data ?? []
  expect(far(before, results)).toBeGreaterThan(1e-3)
  expect(far(await logits().data(), results)).toBeLessThan(1e-4)

  const value = loss()
  value.backward()
  expect(far([await value.item()], wanted.get('loss')?.data ?? [])).toBeLessThan(1e-4)
  const parameters = [...adapter.namedParameters()]
  const gradients = [...wanted].filter(([key]) => key.startsWith('grad:'))
  expect(gradients.length).toBeGreaterThanOrEqual(parameters.length < 3 ? 1 : 3)
  for (const [key, { data }] of gradients) {
    const end = key.replace(/^grad:(base_model\.model\.)?/, '.')
    const found = parameters.filter(([path]) => path.endsWith(end))
    expect([key, found.length]).toEqual([key, 1])
    const { grad } = found[0][1]
    expect(far((await grad?.data()) ?? [], data), key).toBeLessThan(1e-3)
  }
})

it('a pickled file that would run code is refused', async () => {
  const dir = await temporaryFolder()
  await cp(join(folder, 'pickled'), dir, { recursive: true })
  await writeFile(
    join(dir, 'adapter_model.bin'),
    '\x80\x02cposix\nsystem\nX\x04\x00\x00\x00trueq\x00\x85R.',
  )
  const { model, logits } = await open(folder, 'pickled')
  const before = await logits().data()
  await expect(loadAdapter(model, dir)).rejects.toBeInstanceOf(HeedError)
  expect(await logits().data()).toEqual(before)
  await rm(dir, { recursive: true })
})

it('a classifier that is not trained is written for peft, and not read', async () => {
  const { model, logits } = await open(folder, 'bert-houlsby')
  const adapter = addAdapter(model, 'lora:r=2')
  for (const parameter of adapter.parameters()) parameter.assign(randn(parameter.shape))
  const changed = await logits().data()
  const dir = await temporaryFolder()
  await adapter.save(dir)
  const file = await openSafetensors(join(dir, 'adapter_model.safetensors'))
  expect(file.names).toContain('base_model.model.classifier.weight')
  await file.close()
  adapter.remove()
  const again = await loadAdapter(model, dir)
  expect(again.saved).toEqual({})
  expect(await logits().data()).toEqual(changed)
})
