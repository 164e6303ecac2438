// The charts of a report. Heed draws them with `plot` when it writes the page, so that they are visible without JavaScript.
// The page contains this file: there it draws the charts again with other axes, and shows values and single heads.
// Everything that `plot` returns is made of numbers, so nothing needs to be escaped.

/** Distances from the edges of a chart to its axes, in pixels. */
const MARGIN = { left: 52, right: 14, top: 10, bottom: 24 }

/** Draws lines over steps from 0, as the content of an SVG element. */
export function plot(lines, { width, height, log = false, zero = false, smoothing = 0 }) {
  const values = lines.flatMap(({ points }) => points.map(([, y]) => y)).filter(isFinite_)
  const shown = log ? values.filter((y) => y > 0) : values
  const lastStep = Math.max(1, ...lines.map(({ points }) => points.at(-1)?.[0] ?? 0))
  const range = shown.length > 0 ? [least(shown), most(shown)] : [log ? 1 : 0, 1]
  const yTicks = log ? logTicks(...range) : ticks(zero ? Math.min(0, range[0]) : range[0], range[1], height / 48) // biome-ignore format: one line
  const edges = log
    ? [Math.min(range[0], yTicks[0]), Math.max(range[1], yTicks.at(-1))]
    : [yTicks[0], yTicks.at(-1)]
  const x = scale([0, lastStep], [MARGIN.left, width - MARGIN.right])
  const y = scale(edges, [height - MARGIN.bottom, MARGIN.top], log ? Math.log : undefined)
  const xTicks = ticks(0, lastStep, width / 110).filter((step) => step <= lastStep)
  return { svg: grid(xTicks, yTicks, x, y, width, height) + lines.map((line) => curve(line, x, y, log, smoothing)).join(''), x, y } // biome-ignore format: one line
}

function grid(xTicks, yTicks, x, y, width, height) {
  const rows = yTicks.map((value) => `<line class="grid" x1="${MARGIN.left}" x2="${width - MARGIN.right}" y1="${y(value)}" y2="${y(value)}"/><text x="${MARGIN.left - 7}" y="${y(value) + 4}" text-anchor="end">${number(value)}</text>`) // biome-ignore format: one line
  const columns = xTicks.map((step) => `<text x="${x(step)}" y="${height - 6}" text-anchor="${step === 0 ? 'start' : x(step) > width - 40 ? 'end' : 'middle'}">${number(step)}</text>`) // biome-ignore format: one line
  return rows.join('') + columns.join('')
}

function curve({ points, color, dots }, x, y, log, smoothing) {
  const canDraw = ([, value]) => isFinite_(value) && (!log || value > 0)
  const paths =
    smoothing > 0
      ? path(points, x, y, canDraw, `line color-${color} raw`) + path(smooth(points, smoothing), x, y, canDraw, `line color-${color}`) // biome-ignore format: one line
      : path(points, x, y, canDraw, `line color-${color}`)
  const drawn = points.filter(canDraw)
  const marked = dots || drawn.length === 1 ? thinDots(drawn) : []
  const circles = marked.map(([step, value]) => `<circle class="dot color-${color}" cx="${x(step)}" cy="${y(value)}" r="3"/>`) // biome-ignore format: one line
  const gaps = points.filter(([, value]) => !isFinite_(value)).slice(0, 50)
  const marks = gaps.map(([step]) => `<path class="gap" d="M${x(step) - 4} ${MARGIN.top - 6}h8l-4 7z"/>`) // biome-ignore format: one line
  return paths + circles.join('') + marks.join('')
}

/** A line that is interrupted where a value cannot be drawn. */
function path(points, x, y, canDraw, style) {
  let d = ''
  let isDown = false
  for (const point of points) {
    const draws = canDraw(point)
    if (draws) d += `${isDown ? 'L' : 'M'}${x(point[0])} ${y(point[1])}`
    isDown = draws
  }
  return `<path class="${style}" d="${d}"/>`
}

/** Dots are drawn only while they are distinguishable. */
const thinDots = (points) => (points.length <= 60 ? points : [])

/** An exponential moving average without the bias towards 0 of its start. */
export function smooth(points, smoothing) {
  let mean = 0
  let weight = 0
  return points.map(([step, value]) => {
    if (!isFinite_(value)) return [step, value]
    mean = smoothing * mean + (1 - smoothing) * value
    weight = smoothing * weight + (1 - smoothing)
    return [step, mean / weight]
  })
}

/** Round numbers that enclose a range. */
function ticks(low, high, count) {
  const span = high - low || Math.abs(high) || 1
  const power = 10 ** Math.floor(Math.log10(span / Math.max(2, count)))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= Math.max(2, count)) ?? 10 * power // biome-ignore format: one line
  const first = Math.floor(low / step + 1e-9)
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9))
  return Array.from({ length: Math.min(50, last - first + 1) }, (_, i) => (first + i) * step)
}

/** Powers of ten, with 2 and 5 between them if the range is small. */
function logTicks(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))]
  const factors = last - first <= 3 ? [1, 2, 5] : [1]
  const every = Math.ceil((last - first) / 8) || 1
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .filter((power) => (power - first) % every === 0)
    .flatMap((power) => factors.map((factor) => factor * 10 ** power))
  const inside = all.filter((value) => value >= low / 1.05 && value <= high * 1.05)
  return inside.length >= 2 ? inside : [10 ** first, 10 ** Math.max(last, first + 1)]
}

function scale([low, high], [from, to], transform = (value) => value) {
  const [a, b] = [transform(low), transform(high)]
  return (value) => Math.round((from + ((transform(value) - a) / (b - a || 1)) * (to - from)) * 10) / 10 // biome-ignore format: one line
}

/** A number for people: at most five digits, thousands with a comma, very large and small ones with an exponent. */
export function number(value) {
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2).replace(/\.?0+e/, 'e') // biome-ignore format: one line
  if (size >= 1000)
    return Math.round(value)
      .toString()
      .replace(/\B(?=(\d{3})+$)/g, ',')
  return String(Number(value.toPrecision(4)))
}

const isFinite_ = (value) => Number.isFinite(value)
const least = (values) => values.reduce((a, b) => Math.min(a, b))
const most = (values) => values.reduce((a, b) => Math.max(a, b))

// ---- In the page

if (typeof document !== 'undefined') {
  const data = JSON.parse(document.getElementById('charts')?.textContent || '[]')
  const controls = document.getElementById('controls')
  const charts = [...document.querySelectorAll('.chart')].map((figure, i) =>
    interactive(figure, data[i]),
  )
  if (controls) startControls(controls, charts)
  for (const attention of document.querySelectorAll('.attention')) startAttention(attention)
}

/** Draws a chart at the width of its figure; its cursor follows the pointer and the arrow keys. */
function interactive(figure, { lines, zero }) {
  const area = figure.querySelector('.plot')
  const [svg, ...others] = area.querySelectorAll('svg')
  for (const other of others) other.remove()
  svg.removeAttribute('class')
  svg.setAttribute('aria-hidden', 'true')
  const tip = area.appendChild(element('div', 'tip'))
  const steps = [...new Set(lines.flatMap(({ points }) => points.map(([step]) => step)))].sort(
    (a, b) => a - b,
  )
  let settings = {}
  let drawn
  let at = -1

  const draw = () => {
    const [width, height] = [area.clientWidth, area.clientHeight]
    if (width === 0) return
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
    drawn = plot(lines, { width, height, zero, ...settings })
    svg.innerHTML = drawn.svg
    showCursor()
  }
  const showCursor = () => {
    svg.querySelector('.cursor')?.remove()
    tip.hidden = at < 0
    if (at < 0) return
    const step = steps[at]
    const near = lines.map((line) => ({ ...line, point: nearest(line.points, step) }))
    const cursor = svgElement('g', 'cursor')
    cursor.append(svgElement('line', '', { x1: drawn.x(step), x2: drawn.x(step), y1: MARGIN.top, y2: area.clientHeight - MARGIN.bottom })) // biome-ignore format: one line
    for (const { point, color } of near)
      if (point && isFinite_(point[1]) && !(settings.log && point[1] <= 0))
        cursor.append(svgElement('circle', `dot color-${color}`, { cx: drawn.x(point[0]), cy: drawn.y(point[1]), r: 4.5 })) // biome-ignore format: one line
    svg.append(cursor)
    const rows = near.filter(({ point }) => point).map(({ name, color, point: [own, value] }) => ({ color, name, text: (isFinite_(value) ? number(value) : 'not finite') + (own === step ? '' : ` at step ${number(own)}`) })) // biome-ignore format: one line
    tip.replaceChildren(
      element('b', '', `step ${number(step)}`),
      ...rows.map(({ color, name, text }) => {
        const row = element('div', '')
        const swatch = svgElement('svg', 'swatch', { width: 16, height: 8 })
        swatch.append(svgElement('line', `line color-${color}`, { x2: 16, y1: 4, y2: 4 }))
        row.append(swatch, `${name} `, element('b', '', text))
        return row
      }),
    )
    // Next to the cursor, on the side with more room, so that it never covers the points.
    const isRight = drawn.x(step) < area.clientWidth / 2
    tip.style.left = isRight ? `${drawn.x(step) + 12}px` : 'auto'
    tip.style.right = isRight ? 'auto' : `${area.clientWidth - drawn.x(step) + 12}px`
    area.setAttribute('aria-valuenow', step)
    area.setAttribute('aria-valuetext', [`step ${step}`, ...rows.map(({ name, text }) => `${name} ${text}`)].join(', ')) // biome-ignore format: one line
  }
  const move = (to) => {
    at = Math.max(0, Math.min(steps.length - 1, to))
    showCursor()
  }

  if (steps.length > 0) {
    const attributes = { tabindex: 0, role: 'slider', 'aria-label': area.dataset.name, 'aria-valuemin': 0, 'aria-valuemax': steps.at(-1), 'aria-valuenow': steps.at(-1) } // biome-ignore format: one line
    for (const [name, value] of Object.entries(attributes)) area.setAttribute(name, value)
    area.addEventListener('pointermove', ({ clientX }) => {
      const x = clientX - area.getBoundingClientRect().left
      move(indexOfNearest(steps, (step) => drawn.x(step), x))
    })
    area.addEventListener('pointerleave', () => {
      if (document.activeElement !== area) at = -1
      showCursor()
    })
    area.addEventListener(
      'focus',
      () => area.matches(':focus-visible') && move(at < 0 ? steps.length - 1 : at),
    )
    area.addEventListener('blur', () => {
      at = -1
      showCursor()
    })
    area.addEventListener('keydown', (event) => {
      const page = Math.max(1, Math.round(steps.length / 20))
      const by = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - page, PageUp: at + page, Home: 0, End: steps.length - 1 }[event.key] // biome-ignore format: one line
      if (by === undefined) return
      event.preventDefault()
      move(by)
    })
  }
  new ResizeObserver(draw).observe(area)
  draw()
  return (changed) => {
    settings = changed
    draw()
  }
}

function startControls(controls, charts) {
  const [log, smoothing] = controls.querySelectorAll('input')
  const shown = controls.querySelector('output')
  controls.hidden = false
  controls.addEventListener('input', () => {
    shown.textContent = smoothing.value
    for (const redraw of charts) redraw({ log: log.checked, smoothing: Number(smoothing.value) })
  })
}

/** The last point up to a step; the first point if all are later. */
function nearest(points, step) {
  const i = indexOfNearest(points, ([own]) => own, step)
  return points[i]
}

/** The index of the nearest element of a sorted list, by binary search. */
function indexOfNearest(list, positionOf, position) {
  let [low, high] = [0, list.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (positionOf(list[middle]) <= position) low = middle
    else high = middle
  }
  const isLow = Math.abs(positionOf(list[low]) - position) <= Math.abs(positionOf(list[high]) - position) // biome-ignore format: one line
  return isLow ? low : high
}

/** A click on the picture of a head shows it large; values appear at the pointer. */
function startAttention(attention) {
  const view = attention.querySelector('.view')
  const large = view.querySelector('image.weights')
  const caption = view.querySelector('figcaption')
  const value = view.appendChild(element('p', 'value'))
  const buttons = [...attention.querySelectorAll('button.head')]
  const labels = [...view.querySelectorAll('text')]
  const rows = labels.filter((text) => text.classList.contains('row'))
  const columns = labels.filter((text) => text.classList.contains('column'))
  let alpha
  let most = 1
  const choose = (button) => {
    for (const other of buttons) other.setAttribute('aria-pressed', other === button)
    const picture = button.querySelector('img')
    large.setAttribute('href', picture.src)
    caption.textContent = button.title
    value.textContent = ''
    alpha = undefined
    most = Number(button.dataset.most)
    picture.decode().then(() => {
      alpha = alphaOf(picture)
    })
  }
  for (const button of buttons) {
    button.disabled = false
    button.addEventListener('click', () => choose(button))
  }
  large.addEventListener('pointermove', ({ clientX, clientY }) => {
    if (!alpha) return
    const box = large.getBoundingClientRect()
    const column = Math.floor(((clientX - box.left) / box.width) * alpha.width)
    const row = Math.floor(((clientY - box.top) / box.height) * alpha.height)
    const weight = alpha.at(row, column)
    const [from, to] = [rows[row], columns[column]].map((text) => text?.textContent)
    value.textContent = `${from ? `${from} → ${to}: ` : ''}${(weight * most).toFixed(3)}`
  })
  if (buttons.length > 0) choose(buttons.find((button) => button.getAttribute('aria-pressed') === 'true') ?? buttons[0]) // biome-ignore format: one line
}

/** The opacity of each pixel of a picture, from 0 to 1. */
function alphaOf(picture) {
  const { naturalWidth: width, naturalHeight: height } = picture
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d')
  context.drawImage(picture, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  return { width, height, at: (row, column) => (data[4 * (row * width + column) + 3] ?? 0) / 255 }
}

function element(name, style, text = '') {
  return Object.assign(document.createElement(name), { className: style, textContent: text })
}

function svgElement(name, style, attributes = {}) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries({ class: style, ...attributes }))
    made.setAttribute(key, value)
  return made
}
