import { encodePng, type Image, resize } from '../../data/index.ts'
import { type Html, html } from './html.ts'

/** Side of an image in the page in pixels; larger ones are scaled down. */
const MOST_SIDE = 96

/** Renders an image, with its longer side at most 96 pixels. */
export function pictureHtml(image: Image, title: string): Html {
  const [width, height] = [image.width, image.height].map((size) => size * scaleOf(image))
  const enlarged = Math.max(1, Math.floor(64 / Math.max(width, height)))
  return html`<img class="picture" src="${imageUrl(image)}" width="${Math.ceil(width * enlarged)}" height="${Math.ceil(height * enlarged)}" alt="${title}">`
}

/** An image, scaled down, as a data URL. */
export function imageUrl(image: Image): string {
  const side = (size: number): number => Math.max(1, Math.round(size * scaleOf(image)))
  return pngUrl(resize(image, side(image.width), side(image.height)))
}

/** An image as a data URL of a PNG file. */
export const pngUrl = (image: Image): string =>
  `data:image/png;base64,${Buffer.from(encodePng(image)).toString('base64')}`

const scaleOf = ({ width, height }: Image): number =>
  Math.min(1, MOST_SIDE / Math.max(width, height))
