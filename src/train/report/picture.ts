// Images of the page, which are small enough to need no compression.
import { type Image, resize } from '../../data/index.ts'
import { type Html, html } from './html.ts'

const MOST_SIDE = 112

/** Renders an image, scaled down to at most 112 pixels per side. */
export function pictureHtml(image: Image, title: string): Html {
  const small = thumbnail(image)
  return html`<img src="${bitmap(small)}" width="${shown(small.width)}" height="${shown(small.height)}" alt="${title}">`
}

/** Renders the attention to an image: patches with little attention are darkened. */
export function lookHtml(image: Image, { name, weights }: ImageAttention): Html {
  const small = thumbnail(image)
  const [rows, columns] = [weights.length, weights[0].length]
  const [w, h] = [small.width / columns, small.height / rows]
  const most = Math.max(1e-9, ...weights.flat())
  return html`<figure><svg class="look" viewBox="0 0 ${small.width} ${small.height}" width="${2 * shown(small.width)}" role="img" aria-label="attention of ${name}">
<image href="${bitmap(small)}" width="${small.width}" height="${small.height}"/>
${weights.map((row, i) => row.map((weight, j) => html`<rect x="${j * w}" y="${i * h}" width="${w}" height="${h}" fill-opacity="${(0.9 * (1 - weight / most)).toFixed(3)}"><title>${weight.toFixed(4)}</title></rect>`))}
</svg><figcaption>${name}</figcaption></figure>`
}

export interface ImageAttention {
  /** The path of the layer. */
  name: string
  /** Weights by row and column of patches. */
  weights: readonly (readonly number[])[]
}

function thumbnail(image: Image): Image {
  const scale = Math.min(1, MOST_SIDE / Math.max(image.width, image.height))
  const side = (size: number): number => Math.max(1, Math.round(size * scale))
  return resize(image, side(image.width), side(image.height))
}

/** The size on the page in pixels; tiny images are enlarged. */
const shown = (size: number): number => size * Math.max(1, Math.floor(64 / size))

/** Encodes a 24-bit Windows bitmap as a data URL: a header of 54 bytes, then rows from bottom to top. */
function bitmap({ width, height, channels, data }: Image): string {
  const stride = Math.ceil((3 * width) / 4) * 4
  const file = Buffer.alloc(54 + stride * height)
  file.write('BM', 'latin1')
  file.writeUInt32LE(file.length, 2)
  file.writeUInt32LE(54, 10)
  file.writeUInt32LE(40, 14)
  file.writeInt32LE(width, 18)
  file.writeInt32LE(height, 22)
  file.writeUInt16LE(1, 26)
  file.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels
      const to = 54 + (height - 1 - y) * stride + 3 * x
      for (let c = 0; c < 3; c++) file[to + c] = data[from + (channels < 3 ? 0 : 2 - c)] // blue first
    }
  return `data:image/bmp;base64,${file.toString('base64')}`
}
