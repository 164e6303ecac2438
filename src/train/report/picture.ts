import { type Image, resize } from '../../data/index.ts'
import { type Html, html } from './html.ts'
import { pngUrl } from './png.ts'

/** Side of an image in the page in pixels; larger ones are scaled down. */
const MOST_SIDE = 96

/** Renders an image, with its longer side at most 96 pixels. */
export function pictureHtml(image: Image, title: string): Html {
  const [width, height] = [image.width, image.height].map((size) => size * scaleOf(image))
  const enlarged = Math.max(1, Math.floor(64 / Math.max(width, height)))
  return html`<img class="picture" src="${imageUrl(image)}" width="${Math.ceil(width * enlarged)}" height="${Math.ceil(height * enlarged)}" alt="${title}">`
}

/** An image, scaled down, as a data URL. Images have 1, 3 or 4 channels; the fourth is omitted. */
export function imageUrl(image: Image): string {
  const side = (size: number): number => Math.max(1, Math.round(size * scaleOf(image)))
  const { width, height, channels, data } = resize(image, side(image.width), side(image.height))
  const kept = channels < 3 ? 1 : 3
  const pixels = new Uint8Array(width * height * kept)
  for (let i = 0; i < width * height; i++)
    for (let c = 0; c < kept; c++) pixels[i * kept + c] = data[i * channels + c]
  return pngUrl(width, height, kept, pixels)
}

const scaleOf = ({ width, height }: Image): number => Math.min(1, MOST_SIDE / Math.max(width, height)) // biome-ignore format: one line
