const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** Formats a number of bytes: 1536000 -> '1.54 MB'. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}
