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

/** 'weightDecay' -> '--weight-decay'. */
export const flagOf = (key: string): string =>
  `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
