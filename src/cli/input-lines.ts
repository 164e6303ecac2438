import { createInterface, type Interface } from 'node:readline'

/** The lines of standard input, which a line feed ends, or a carriage return and a line feed. */
export const inputLines = (): Interface =>
  createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })
