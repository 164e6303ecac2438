import type { Image } from '../../data/index.ts'
import type { AttendedExample, HeadAttention, LayerAttention } from './attention.ts'
import { cut, type Html, html } from './html.ts'
import { imageUrl, pngUrl } from './picture.ts'

const CELL = 16
/** Maximum number of characters of a token. */
const MOST_LABEL = 12
/** Side of an image in pixels. */
const IMAGE = 256
/** The colour of weights, which is visible on light and dark pages: red, green, blue. */
const COLOR = [38, 128, 235]
/** Number of shades, few enough to compress. */
const LEVELS = 64

/** Renders the attention of examples: a large picture, and one of each head, which enlarges on click. */
export function attentionSection(examples: readonly AttendedExample[]): Html | null {
  const shown = examples.filter(({ layers }) => layers.length > 0)
  if (shown.length === 0) return null
  const ofImage = shown[0].image !== undefined
  return html`<section id="attention"><h2>Attention</h2>
<p class="note">${ofImage ? 'The more a patch is coloured, the more the class token attends to it.' : 'Each row shows where that token attends; a stronger colour means more.'} Each small picture is a head; select one to enlarge it.</p>
${shown.map(
  (
    example,
    i,
  ) => html`<details class="example"${i === 0 && { html: ' open' }}><summary>${cut(example.text, 90)}</summary>
${byKind(example.layers).map((layers) => groupHtml(layers, example.image))}</details>`,
)}
</section>`
}

function byKind(layers: readonly LayerAttention[]): LayerAttention[][] {
  const kinds = new Set(layers.map(({ kind }) => kind))
  return [...kinds].map((kind) => layers.filter((layer) => layer.kind === kind))
}

function groupHtml(layers: readonly LayerAttention[], image: Image | undefined): Html {
  const [{ kind }] = layers
  const last = layers[layers.length - 1]
  return html`<div class="attention">${kind && html`<h3>${kind[0].toUpperCase() + kind.slice(1)}</h3>`}
<div class="wide" tabindex="0" role="region" aria-label="${`attention weights${kind && `, ${kind}`}`}">${viewHtml(last, image)}</div>
<div class="heads wide" tabindex="0" role="region" aria-label="${`heads${kind && `, ${kind}`}`}">${layers.map(
    (layer) =>
      html`<div class="layer"><span title="${layer.path}">${layer.name}</span>${layer.heads.map((head, i) => headHtml(layer, head, layer === last && i === 0))}</div>`,
  )}</div></div>`
}

function headHtml(layer: LayerAttention, head: HeadAttention, isShown: boolean): Html {
  const name = nameOf(layer, head)
  return html`<button type="button" class="head" disabled aria-pressed="${String(isShown)}" title="${name}" data-most="${largest(head).toPrecision(4)}"><img src="${weightsUrl(head)}" alt="${name}"></button>`
}

const nameOf = ({ name, kind }: LayerAttention, head: HeadAttention): string =>
  [name, head.name, kind].filter(Boolean).join(', ')

/** A map of weights with the texts of its rows and columns, or over an image. */
function viewHtml(layer: LayerAttention, image: Image | undefined): Html {
  const [head] = layer.heads
  const { weights } = head
  const { rows, columns } = layer
  const [left, top] = [rows, columns].map(roomFor)
  const side = image ? IMAGE / Math.max(image.width, image.height) : 0
  const [w, h] = image
    ? [image.width * side, image.height * side]
    : [CELL * weights[0].length, CELL * weights.length]
  const name = nameOf(layer, head)
  return html`<figure class="view${image ? ' look' : ''}"><svg viewBox="0 0 ${left + w} ${top + h}" width="${left + w}" height="${top + h}" role="img" aria-label="attention weights">
${rows?.map((text, i) => html`<text class="row" x="${left - 5}" y="${top + CELL * i + 12}" text-anchor="end">${cut(text, MOST_LABEL)}</text>`)}
${columns?.map((text, j) => html`<text class="column" transform="translate(${left + CELL * j + 12} ${top - 5}) rotate(-90)">${cut(text, MOST_LABEL)}</text>`)}
${image && html`<image href="${imageUrl(image)}" width="${w}" height="${h}" preserveAspectRatio="none"/>`}
<rect class="frame" x="${left}" y="${top}" width="${w}" height="${h}"/>
<image class="weights" href="${weightsUrl(head)}" x="${left}" y="${top}" width="${w}" height="${h}" preserveAspectRatio="none"/>
</svg><figcaption>${name}</figcaption></figure>`
}

/** Room for labels in pixels. */
const roomFor = (texts: readonly string[] = []): number =>
  texts.reduce((most, text) => Math.max(most, 7.5 * Math.min(MOST_LABEL, text.length) + 8), 0)

const largest = ({ weights }: HeadAttention): number =>
  weights.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 1e-9)

/** A picture with a pixel for each weight, relative to the largest. */
function weightsUrl(head: HeadAttention): string {
  const { weights } = head
  const most = largest(head)
  const [height, width] = [weights.length, weights[0].length]
  const data = new Uint8Array(4 * height * width)
  weights.flat().forEach((weight, i) => {
    const level = Math.round((LEVELS * (Number.isFinite(weight) ? weight : 0)) / most)
    data.set([...COLOR, Math.round((255 * level) / LEVELS)], 4 * i)
  })
  return pngUrl({ width, height, channels: 4, data })
}
