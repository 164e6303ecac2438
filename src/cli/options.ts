// Values of flags, with errors that name the flag.
import { InvalidArgumentError } from 'commander'

export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('It is not a number.')
  return value
}

export function whole(text: string): number {
  const value = number(text)
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It is not a whole number of at least 0.')
  return value
}

export function positive(text: string): number {
  const value = whole(text)
  if (value === 0) throw new InvalidArgumentError('It is not a whole number of at least 1.')
  return value
}

/** '2GB' -> 2e9. */
export function byteCount(text: string): number {
  const [, digits, unit = ''] = /^\s*([0-9.]+)\s*([kMGT]?)B?\s*$/i.exec(text) ?? []
  const value = Number(digits) * 1000 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ')
  if (!(value >= 1)) throw new InvalidArgumentError('It is not a size such as 500MB or 2GB.')
  return value
}

/** 'weightDecay' -> '--weight-decay'. */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
