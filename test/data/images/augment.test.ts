import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  autoContrast,
  brightness,
  contrast,
  equalize,
  posterize,
  saturation,
  sharpness,
  solarize,
  turnHue,
} from '../../../src/data/images/colours.ts'
import { randAugment } from '../../../src/data/images/rand-augment.ts'
import { affine, flip } from '../../../src/data/images/shapes.ts'
import { augment, drawsOf, type Image, mix } from '../../../src/data/index.ts'
import { readJson } from '../../../src/io/files/json.ts'
import { openSafetensors } from '../../../src/io/safetensors/safetensors.ts'
import { FIXTURES } from '../../fixtures/cases.ts'

const colours = {
  autoContrast,
  brightness,
  contrast,
  equalize,
  posterize,
  saturation,
  sharpness,
  solarize,
}
const none = { crop: 1, shift: 0, flip: false, jitter: 0, hue: 0, randAugment: 0, erase: 0 }
const picture: Image = {
  width: 12,
  height: 10,
  channels: 3,
  data: Uint8Array.from({ length: 360 }, (_, i) => (i * 37) % 256),
}
const pixels = ({ data }: Image): number[] => [...data]
const same = (a: Image, b: Image): boolean => a.data.every((value, i) => value === b.data[i])

describe('changes of colours', () => {
  it('are those of PIL', async () => {
    const folder = join(FIXTURES, 'images')
    const cases = (await readJson(join(folder, 'colours.json'))) as unknown as {
      change: keyof typeof colours
      amount: number
    }[]
    const file = await openSafetensors(join(folder, 'colours.safetensors'))
    const [height, width, channels] = file.info('input').shape
    const data = Uint8Array.from(await file.read('input', { as: 'f32' }))
    for (const [i, { change, amount }] of cases.entries()) {
      const got = colours[change]({ width, height, channels, data }, amount).data
      const wanted = await file.read(`case.${i}`, { as: 'f32' })
      const worst = Math.max(...got.map((value, k) => Math.abs(value - wanted[k])))
      expect(worst, `${change} ${amount}`).toBeLessThanOrEqual(1) // PIL mixes in float32
      expect(got.some((value, k) => value !== data[k])).toBe(true)
    }
    await file.close()
  })

  it('turn hues around the circle, and leave greys', () => {
    const of = (data: number[]): Image => ({
      width: data.length / 3,
      height: 1,
      channels: 3,
      data: Uint8Array.from(data),
    })
    const some = of([255, 0, 0, 9, 200, 60, 80, 80, 80])
    expect(pixels(turnHue(some, 1 / 3))).toEqual([0, 255, 0, 60, 9, 200, 80, 80, 80])
    expect(pixels(turnHue(some, -1 / 3))).toEqual([0, 0, 255, 200, 60, 9, 80, 80, 80])
    expect(pixels(turnHue(some, 1 / 2)).slice(0, 3)).toEqual([0, 255, 255])
    expect(pixels(turnHue(picture, 1))).toEqual(pixels(picture))
    const there = turnHue(picture, 0.2)
    expect(same(there, picture)).toBe(false)
    const worst = pixels(turnHue(there, -0.2)).map((value, i) => Math.abs(value - picture.data[i]))
    expect(Math.max(...worst)).toBeLessThanOrEqual(3) // bytes between
  })
})

describe('augmentation', () => {
  it('is drawn by seed, step and row', () => {
    const all = {
      crop: 0.5,
      shift: 2,
      flip: true,
      jitter: 0.4,
      hue: 0.1,
      randAugment: 7,
      erase: 0.5,
    }
    const once = augment(picture, all, drawsOf(1, 2, 3))
    expect(pixels(augment(picture, all, drawsOf(1, 2, 3)))).toEqual(pixels(once))
    const others = [drawsOf(2, 2, 3), drawsOf(1, 3, 3), drawsOf(1, 2, 4)]
    for (const draw of others) expect(same(augment(picture, all, draw), once)).toBe(false)
    expect(augment(picture, none, drawsOf(1, 2, 3))).toBe(picture)
  })

  it.each(['crop', 'shift', 'flip', 'jitter', 'hue', 'randAugment', 'erase'] as const)(
    'by %s alone changes images, and keeps their size',
    (kind) => {
      const strength = {
        crop: 0.2,
        shift: 3,
        flip: true,
        jitter: 0.5,
        hue: 0.3,
        randAugment: 9,
        erase: 1,
      }
      const options = { ...none, [kind]: strength[kind] }
      const made = Array.from({ length: 100 }, (_, row) =>
        augment(picture, options, drawsOf(5, 0, row)),
      )
      const { data: _, ...size } = picture
      for (const image of made) expect(image).toMatchObject(size)
      const changed = made.filter((image) => !same(image, picture)).length
      expect(changed).toBeGreaterThan(kind === 'flip' ? 35 : 75)
      if (kind === 'flip') expect(changed).toBeLessThan(65)
    },
  )

  it('mirrors, and moves back', () => {
    const row: Image = {
      width: 3,
      height: 1,
      channels: 2,
      data: Uint8Array.from([1, 2, 3, 4, 5, 6]),
    }
    expect(pixels(flip(row))).toEqual([5, 6, 3, 4, 1, 2])
    expect(pixels(affine(row, [1, 0, 1, 0, 1, 0], 9))).toEqual([3, 4, 5, 6, 9, 9])
    expect(pixels(affine(picture, [1, 0, 0, 0, 1, 0]))).toEqual(pixels(picture))
    expect(pixels(affine(picture, [-1, 0, 0, 0, 1, 0]))).toEqual(pixels(flip(picture)))
  })

  it('takes all of the fourteen ways', () => {
    const seen = new Set<string>()
    for (let row = 0; row < 400; row++)
      seen.add(pixels(randAugment(picture, 5, drawsOf(3, 0, row))).join())
    expect(seen.size).toBeGreaterThan(100) // of 14 · 14 pairs, some to both sides
  })

  it('mixes two images, and tells the share of the first', () => {
    const black: Image = { ...picture, data: new Uint8Array(360) }
    const white: Image = { ...picture, data: new Uint8Array(360).fill(200) }
    const shares: number[] = []
    for (let row = 0; row < 200; row++) {
      const [mixup, share] = mix(white, black, { mixup: 1, cutmix: 0 }, drawsOf(1, 0, row))
      expect(mixup.data.every((value) => Math.abs(value - 200 * share) <= 1)).toBe(true)
      const [cutmix, part] = mix(white, black, { mixup: 0, cutmix: 1 }, drawsOf(1, 1, row))
      expect(cutmix.data.filter((value) => value === 200).length / 360).toBeCloseTo(part, 9)
      expect(cutmix.data.every((value) => value === 0 || value === 200)).toBe(true)
      shares.push(share)
    }
    const mean = shares.reduce((a, b) => a + b) / shares.length
    const spread = shares.reduce((sum, x) => sum + (x - mean) ** 2, 0) / shares.length
    expect(mean).toBeCloseTo(0.5, 1) // Beta(1, 1) is even
    expect(spread).toBeCloseTo(1 / 12, 1)
    expect(picture.data[1]).toBe(37)
  })
})
