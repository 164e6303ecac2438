import { readFileSync, writeFileSync } from 'node:fs'

/** Flips a bit of a file; `at` may be negative, from its end. */
export function flipBit(path: string, at: number, bit = 0): void {
  const bytes = readFileSync(path)
  bytes[at < 0 ? bytes.length + at : at] ^= 1 << bit
  writeFileSync(path, bytes)
}
