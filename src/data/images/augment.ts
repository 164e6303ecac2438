// Data augmentation: random changes of training images against overfitting.
import { checkArgument, wrongArgument } from '../../util/check-argument.ts'
import { numberFrom, optionKinds } from '../../util/options.ts'
import { brightness, contrast, saturation, turnHue } from './colours.ts'
import type { Draw } from './draws.ts'
import { checkImage, type Image } from './image.ts'
import { randAugment } from './rand-augment.ts'
import { flip, randomResizedCrop, randomShift } from './shapes.ts'

/** Options of `augment`. */
export interface Augmentation {
  /** Smallest fraction of the area for a random resized crop; 1 keeps the whole image. */
  crop: number
  /** Maximum shift in pixels. */
  shift: number
  /** Whether to mirror half of the images. */
  flip: boolean
  /** Maximum relative change of brightness, contrast and saturation. */
  jitter: number
  /** Maximum rotation of hues as a fraction of the colour circle, 0 to 0.5. */
  hue: number
  /** Strength of RandAugment, 0 (none) to 10. */
  randAugment: number
  /** Probability of random erasing: a rectangle becomes noise (Zhong et al., 2020). */
  erase: number
}

const AUGMENTATION = optionKinds<Augmentation>({
  crop: 'share',
  shift: 'count',
  flip: 'flag',
  jitter: 'share',
  hue: numberFrom(0, 0.5),
  randAugment: numberFrom(0, 10),
  erase: 'share',
})

/** Returns an augmented image of the same size. Options may have other keys, such as those of a task. */
export function augment(image: Image, options: Augmentation, draw: Draw): Image {
  checkImage('augment', image)
  AUGMENTATION.checkValues('augment', options)
  checkArgument('augment', 'draw', draw, 'function')
  let out = image
  if (options.crop < 1) out = randomResizedCrop(out, options.crop, draw)
  if (options.shift > 0) out = randomShift(out, options.shift, draw)
  if (options.flip && draw() < 0.5) out = flip(out)
  if (options.jitter > 0) out = jitter(out, options.jitter, draw)
  if (options.hue > 0) out = turnHue(out, options.hue * (2 * draw() - 1))
  if (options.randAugment > 0) out = randAugment(out, options.randAugment, draw)
  if (options.erase > 0 && draw() < options.erase) out = erase(out, draw)
  return out
}

function jitter(image: Image, most: number, draw: Draw): Image {
  const changes = [brightness, contrast, saturation]
  let out = image
  while (changes.length > 0) {
    const [change] = changes.splice(Math.floor(draw() * changes.length), 1)
    out = change(out, Math.max(0, 1 + most * (2 * draw() - 1)))
  }
  return out
}

/** Erases a rectangle of 2 % to 33 % of the area with an aspect ratio between 3:10 and 10:3. */
function erase(image: Image, draw: Draw): Image {
  const { width, height, channels } = image
  const area = width * height * (0.02 + (1 / 3 - 0.02) * draw())
  const ratio = Math.exp((2 * draw() - 1) * Math.log(10 / 3))
  const box = boxIn(image, Math.sqrt(area * ratio), Math.sqrt(area / ratio), draw)
  const data = image.data.slice()
  let noise = Math.floor(draw() * 2 ** 32) // one draw per pixel would be too slow
  for (let y = box.top; y < box.top + box.height; y++) {
    const start = (y * width + box.left) * channels
    for (let i = start; i < start + box.width * channels; i++) {
      noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0
      data[i] = noise >>> 24
    }
  }
  return { ...image, data }
}

interface Area {
  left: number
  top: number
  width: number
  height: number
}

/** Draws a rectangle of about this size within an image. */
function boxIn(image: Image, width: number, height: number, draw: Draw): Area {
  const w = Math.min(image.width, Math.max(1, Math.round(width)))
  const h = Math.min(image.height, Math.max(1, Math.round(height)))
  const left = Math.floor(draw() * (image.width - w + 1))
  const top = Math.floor(draw() * (image.height - h + 1))
  return { left, top, width: w, height: h }
}

/** Options of `mix`. */
export interface Mix {
  /** Alpha of mixup: the blend ratio is drawn from Beta(alpha, alpha) (Zhang et al., 2018). 0 turns it off. */
  mixup: number
  /** Alpha of CutMix: a rectangle is pasted from another image (Yun et al., 2019). 0 turns it off. */
  cutmix: number
}

const MIX = optionKinds<Mix>({ mixup: 'amount', cutmix: 'amount' })

/**
 * Mixes two images of the same size with mixup or CutMix. Returns the result and the weight of the first label. Options
 * may have other keys.
 * @throws HeedError for images of different sizes
 */
export function mix(a: Image, b: Image, options: Mix, draw: Draw): [Image, number] {
  for (const image of [a, b]) checkImage('mix', image)
  if (sizeOf(a) !== sizeOf(b))
    throw wrongArgument('mix', 'b', b, `an image of ${sizeOf(a)}, the size of \`a\``)
  MIX.checkValues('mix', options)
  checkArgument('mix', 'draw', draw, 'function')
  const { mixup, cutmix } = options
  if (mixup === 0 && cutmix === 0) return [a, 1]
  const cut = mixup === 0 || (cutmix > 0 && draw() < 0.5)
  const share = betaDraw(cut ? cutmix : mixup, draw)
  if (!cut) {
    const data = a.data.map((value, i) => value * share + b.data[i] * (1 - share) + 0.5)
    return [{ ...a, data }, share]
  }
  const side = Math.sqrt(1 - share)
  const box = boxIn(a, a.width * side, a.height * side, draw)
  const data = a.data.slice()
  const line = a.width * a.channels
  for (let y = box.top; y < box.top + box.height; y++) {
    const start = y * line + box.left * a.channels
    data.set(b.data.subarray(start, start + box.width * a.channels), start)
  }
  return [{ ...a, data }, 1 - (box.width * box.height) / (a.width * a.height)]
}

const sizeOf = ({ width, height, channels }: Image): string => `${width} x ${height} x ${channels}`

/** Draws from Beta(a, a) as x / (x + y), with x and y from Gamma(a). */
function betaDraw(a: number, draw: Draw): number {
  const [x, y] = [gammaDraw(a, draw), gammaDraw(a, draw)]
  return x + y === 0 ? 0.5 : x / (x + y)
}

/** Draws from Gamma(a) (Marsaglia and Tsang, 2000); for a < 1 as Gamma(a + 1)·u^(1/a). */
function gammaDraw(a: number, draw: Draw): number {
  if (a < 1) return gammaDraw(a + 1, draw) * (1 - draw()) ** (1 / a)
  const d = a - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (let attempt = 0; attempt < 100; attempt++) {
    const x = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - draw()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
  return d
}
