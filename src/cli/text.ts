// Formats numbers for people.

/** 1234567 -> '1.23 M'. */
export function short(value: number): string {
  if (value < 1000) return String(Math.round(value))
  const unit = Math.min(UNITS.length, Math.floor(Math.log10(value) / 3))
  return `${(value / 1000 ** unit).toPrecision(3)} ${UNITS[unit - 1]}`
}

const UNITS = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']

/** Seconds -> '2 min 05 s'. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  const minutes = Math.floor(s / 60)
  if (minutes < 60) return `${minutes} min ${String(s % 60).padStart(2, '0')} s`
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`
}

/** 0.0421 -> '42.1 µs', 31.24 -> '31.24 ms'. */
export function milliseconds(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(1)} µs`
  return ms < 1000 ? `${ms.toFixed(ms < 100 ? 2 : 1)} ms` : `${(ms / 1000).toFixed(2)} s`
}

export function bar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/** A probability as a short bar and a number. */
export const scoreLine = (score: number): string => `${bar(score, 10)} ${score.toFixed(4)}`
