// Parsers for the values of flags. Commander puts the flag and the value in front of their messages.
import { InvalidArgumentError } from 'commander'
import { suggestion } from './print-error.ts'

export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('It must be a finite number.')
  return value
}

/** A whole number of at least 0. */
export function wholeNumber(text: string): number {
  return wholeFrom(0, text)
}

function wholeFrom(least: number, text: string): number {
  const value = number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`)
  return value
}

/** A whole number of at least 1. */
export function positive(text: string): number {
  return wholeFrom(1, text)
}

/** '2GB' -> 2e9. */
export function byteCount(text: string): number {
  const [, digits, unit = ''] = /^\s*([0-9.]+)\s*([kMGT]?)B?\s*$/i.exec(text) ?? []
  const value = Number(digits) * 1000 ** ' kmgt'.indexOf(unit.toLowerCase() || ' ')
  if (!(value >= 1)) throw new InvalidArgumentError('It must be a size such as 500MB or 2GB.')
  return value
}

/** A parser for one of several names; its error suggests the nearest name. */
export function nameFrom<T extends string>(names: readonly T[]): (text: string) => T {
  return (text) => {
    const name = names.find((candidate) => candidate === text)
    if (name !== undefined) return name
    throw new InvalidArgumentError(suggestion(text, names))
  }
}

/** Collects the values of a flag that may be repeated. */
export const collected = (text: string, before: string[] = []): string[] => [...before, text]
