// The fuzzer's samples open, so that what it changes is not refused at the first byte; its inputs can be repeated; and
// what it has found stays mended.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeInput, packed } from '../../scripts/fuzz/input.ts'
import { readers } from '../../scripts/fuzz/readers.ts'
import { HeedError } from '../../src/util/errors.ts'
import { scratch } from '../train/support.ts'

const at = scratch()
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
afterAll(() => void vi.restoreAllMocks())

describe.each(readers.map((reader) => [reader.name, reader] as const))('%s', (name, reader) => {
  const samples = reader.samples()

  it('opens its valid samples, and refuses the hostile ones', async () => {
    for (const [i, { files, refused }] of samples.entries()) {
      const folder = at(`${name}-${i}`)
      for (const [path, file] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true })
        await writeFile(join(folder, path), packed(file))
      }
      const error = await reader.read(folder).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (refused) expect(error, `sample ${i}`).toBeInstanceOf(HeedError)
      else expect(error, `sample ${i}`).toBeUndefined()
    }
  })

  it('gets the same inputs for the same seed, and others for another', () => {
    const inputs = (seed: number) =>
      Array.from({ length: 10 }, (_, i) => makeInput(reader, samples, seed, i))
    expect(inputs(1)).toEqual(inputs(1))
    expect(inputs(2)).not.toEqual(inputs(1))
    const changed = inputs(1).filter(({ sample, path, bytes }) => {
      const before = packed(samples[sample].files[path])
      return Buffer.compare(before, bytes) !== 0
    })
    expect(changed.length).toBeGreaterThan(5)
  })
})
