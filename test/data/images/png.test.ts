import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { encodePng, type Image, readImage, savePng } from '../../../src/data/index.ts'
import { temporaryFolder } from '../../io/temporary-folder.ts'
import { heedError } from '../../support/heed-error.ts'

const imageOf = (channels: number): Image => ({
  width: 5,
  height: 3,
  channels,
  data: Uint8Array.from({ length: 15 * channels }, (_, i) => (i * 37) % 256),
})

/** The bytes of an image; sharp may read grey images as RGB. */
function pixelsOf({ channels, data }: Image, wanted: number): number[] {
  if (channels === wanted) return [...data]
  const pixels = Array.from({ length: data.length / channels }, (_, i) => [...data.subarray(i * channels, (i + 1) * channels)]) // biome-ignore format: one line
  return pixels.flatMap(([grey, ...alpha]) => [grey, grey, grey, ...alpha])
}

describe('a PNG file', () => {
  it.each([1, 2, 3, 4])('with %i channels is read back as it was', async (channels) => {
    const path = join(await temporaryFolder(), 'a.png')
    await savePng(path, imageOf(channels))
    const back = await readImage(path)
    expect([...back.data]).toEqual(pixelsOf(imageOf(channels), back.channels))
    expect(back).toMatchObject({ width: 5, height: 3 })
  })

  it('is refused by readers when a bit of it flips', async () => {
    const bytes = encodePng(imageOf(3))
    bytes[bytes.length - 20] ^= 1 // in the compressed pixels, so that their checksum is wrong
    const path = join(await temporaryFolder(), 'b.png')
    await writeFile(path, bytes)
    await expect(readImage(path)).rejects.toMatchObject({ code: 'corrupt-file' })
  })

  it('has at most four channels', () => {
    expect(() => encodePng(imageOf(5))).toThrow(
      heedError('invalid-option', { key: 'channels', value: 5 }),
    )
  })
})
