// Draws curves in braille characters, which have 2 x 4 dots each.

const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
]

/**
 * Draws points as `height` lines of `width` characters, with a scale at the left. `at` is the horizontal position, from
 * 0 to 1. Values that are not finite are left out.
 */
export function drawCurve(
  points: readonly (readonly [at: number, value: number])[],
  width: number,
  height: number,
): string[] {
  const finite = points.filter(([, value]) => Number.isFinite(value))
  if (finite.length === 0) return []
  const values = finite.map(([, value]) => value)
  const top = Math.max(...values)
  const bottom = Math.min(...values)
  const cells = Array.from({ length: height }, () => new Array<number>(width).fill(0))
  const columns = width * 2
  const rows = height * 4
  const dot = ([at, value]: readonly [number, number]): [number, number] => [
    Math.min(columns - 1, Math.floor(at * columns)),
    Math.round(((top - value) / (top - bottom || 1)) * (rows - 1)),
  ]
  let before: [number, number] | null = null
  for (const point of finite) {
    const next = dot(point)
    for (const [x, y] of line(before ?? next, next))
      cells[Math.floor(y / 4)][Math.floor(x / 2)] |= DOTS[x % 2][y % 4]
    before = next
  }
  const label = (row: number): string =>
    row === 0 ? top.toFixed(2) : row === height - 1 ? bottom.toFixed(2) : ''
  return cells.map(
    (row, i) => `${label(i).padStart(6)} ${String.fromCharCode(...row.map((c) => 0x2800 + c))}`,
  )
}

/** Yields every dot of the line between two dots. */
function* line(
  [x0, y0]: [number, number],
  [x1, y1]: [number, number],
): Generator<[number, number]> {
  const steps = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0), 1)
  for (let i = 0; i <= steps; i++)
    yield [Math.round(x0 + ((x1 - x0) * i) / steps), Math.round(y0 + ((y1 - y0) * i) / steps)]
}
