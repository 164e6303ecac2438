import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScript } from '../support/run-script.ts'

it('a ResNet and a ViT learn from few and from many images', async () => {
  const out = await mkdtemp(join(tmpdir(), 'heed-fashion-'))
  try {
    const printed = await runScript(
      'examples/fashion.ts',
      '--smoke',
      '--out',
      out,
      '--shares',
      '0.1,1',
    )
    expect(printed).toMatch(/^400 images for training, 60 for testing/)
    for (const model of ['resnet', 'vit'])
      for (const count of [40, 400])
        expect(printed).toMatch(
          new RegExp(`${model} +${count} images, 10 steps: accuracy (0\\.[3-9]|1\\.0)\\d+, loss`),
        )
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}, 60_000)
