// Drawings as SVG: curves, named points, and what was looked at for each token.

export interface Curve {
  name: string
  /** One value for each place on the x axis. */
  values: readonly number[]
}

const COLOURS = ['#c2410c', '#1d4ed8', '#15803d']

export interface Axes {
  title: string
  xName: string
  places: readonly string[]
  /** Between two lines; the lowest and the highest value are multiples of it. */
  yStep: number
  /** Where the y axis begins. Default 0. */
  yFrom?: number
}

export function drawCurves(axes: Axes, curves: readonly Curve[]): string {
  const { title, xName, places, yStep, yFrom = 0 } = axes
  const [width, height, left, top, bottom] = [720, 440, 60, 50, 90]
  const lines = Math.ceil((Math.max(...curves.flatMap(({ values }) => values)) - yFrom) / yStep)
  const highest = yFrom + lines * yStep
  const x = (i: number): number => left + ((i + 0.5) * (width - left - 20)) / places.length
  const y = (value: number): number =>
    height - bottom - ((value - yFrom) / (highest - yFrom)) * (height - top - bottom)
  const parts = [text(width / 2, 26, title, 'middle', 17)]
  for (let i = 0; i <= lines; i++) {
    const value = Number((yFrom + i * yStep).toPrecision(6))
    parts.push(`<path d="M${left} ${y(value)}H${width - 20}" stroke="#ddd"/>`)
    parts.push(text(left - 8, y(value) + 4, String(value), 'end'))
  }
  places.forEach((place, i) => {
    parts.push(text(x(i), height - bottom + 20, place, 'middle'))
  })
  parts.push(text((left + width) / 2, height - bottom + 42, xName, 'middle')) // biome-ignore format: one line
  curves.forEach(({ name, values }, k) => {
    const points = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`)
    const colour = COLOURS[k % COLOURS.length]
    parts.push(`<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2.5"/>`) // biome-ignore format: one line
    for (const point of points) {
      const [px, py] = point.split(',')
      parts.push(`<circle cx="${px}" cy="${py}" r="3.5" fill="${colour}"/>`)
    }
    parts.push(`<rect x="${left + 8 + k * 215}" y="${height - 20}" width="14" height="5" fill="${colour}"/>`) // biome-ignore format: one line
    parts.push(text(left + 28 + k * 215, height - 13, name))
  })
  return svg(title, width, height, parts)
}

export interface Point {
  name: string
  /** Above 0. */
  x: number
  y: number
}

/** Named points over a logarithmic axis from the largest power of ten below all points to 1. */
export function drawPoints(
  { title, xName, yName }: { title: string; xName: string; yName: string },
  points: readonly Point[],
): string {
  const [width, height, left, top, bottom] = [720, 440, 60, 50, 70]
  const decades = -Math.floor(Math.log10(Math.min(...points.map(({ x }) => x))))
  const values = points.map(({ y }) => y)
  const [low, high] = [5 * Math.floor(Math.min(...values) / 5), 5 * Math.ceil(Math.max(...values) / 5)] // biome-ignore format: one line
  const xOf = (x: number): number =>
    left + ((Math.log10(x) + decades) / decades) * (width - left - 80)
  const yOf = (y: number): number => height - bottom - ((y - low) / (high - low)) * (height - top - bottom) // biome-ignore format: one line
  const parts = [text(width / 2, 26, title, 'middle', 17)]
  for (let y = low; y <= high; y += 5) {
    parts.push(`<path d="M${left} ${yOf(y)}H${width - 20}" stroke="#ddd"/>`)
    parts.push(text(left - 8, yOf(y) + 4, String(y), 'end'))
  }
  for (let decade = -decades; decade <= 0; decade++) {
    const x = xOf(10 ** decade)
    parts.push(`<path d="M${x} ${top}V${height - bottom}" stroke="#eee"/>`)
    parts.push(text(x, height - bottom + 20, `${Number((100 * 10 ** decade).toPrecision(3))} %`, 'middle')) // biome-ignore format: one line
  }
  parts.push(text((left + width) / 2, height - bottom + 45, xName, 'middle'))
  parts.push(text(8, top - 10, yName))
  for (const { name, x, y } of points) {
    parts.push(`<circle cx="${xOf(x).toFixed(1)}" cy="${yOf(y).toFixed(1)}" r="4.5" fill="${COLOURS[1]}"/>`) // biome-ignore format: one line
    parts.push(text(xOf(x) + 8, yOf(y) - 6, name))
  }
  return svg(title, width, height, parts)
}

/** weights[i][j]: how much of what was seen for token i of the target was token j of the source. */
export function drawAttention(
  source: readonly string[],
  target: readonly string[],
  weights: readonly (readonly number[])[],
): string {
  const [cell, left, top] = [22, 120, 120]
  const width = left + source.length * cell + 20
  const height = top + target.length * cell + 20
  const parts: string[] = []
  source.forEach((token, j) => {
    const [px, py] = [left + (j + 0.5) * cell + 4, top - 8]
    parts.push(`<g transform="translate(${px} ${py}) rotate(-60)">${text(0, 0, token)}</g>`)
  })
  target.forEach((token, i) => {
    parts.push(text(left - 8, top + (i + 0.5) * cell + 4, token, 'end'))
    source.forEach((_, j) => {
      const share = Math.round(255 * (1 - weights[i][j]))
      const [px, py] = [left + j * cell, top + i * cell]
      parts.push(`<rect x="${px}" y="${py}" width="${cell}" height="${cell}" fill="rgb(${share},${share},255)" stroke="#eee"/>`) // biome-ignore format: one line
    })
  })
  return svg('Attention', width, height, parts)
}

function text(x: number, y: number, words: string, anchor = 'start', size = 13): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}">${escaped(words)}</text>`
}

const escaped = (words: string): string =>
  words.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] as string)

const svg = (title: string, width: number, height: number, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" ` +
  `height="${height}" font-family="sans-serif"><title>${escaped(title)}</title><rect width="100%" height="100%" fill="white"/>\n` +
  `${parts.join('\n')}\n</svg>\n`
