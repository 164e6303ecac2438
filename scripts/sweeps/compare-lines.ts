import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Tokenizer } from '../../src/tokenizers/index.ts'

/** A text with Python's results; no ids if Python could not encode it. */
export interface SweepCase {
  text: string
  ids?: number[]
  offsets?: [start: number, end: number][]
  decoded?: string
  skipped?: string
}

interface Line {
  name: string
  tokenizer?: unknown
  path?: string
  config?: unknown
  cases: SweepCase[]
}

export interface SweepResult {
  tokenizers: number
  cases: number
  differences: string[]
}

/** Compares each line of a file, a tokenizer with cases, with the results of Heed. */
export async function compareLines(file: string): Promise<SweepResult> {
  const result: SweepResult = { tokenizers: 0, cases: 0, differences: [] }
  for await (const text of createInterface({ input: createReadStream(file) })) {
    const line: Line = JSON.parse(text)
    result.tokenizers++
    try {
      const tokenizer = line.path
        ? await Tokenizer.fromFile(line.path)
        : Tokenizer.fromJSON(line.tokenizer, line.config)
      for (const each of line.cases) {
        result.cases++
        const difference = compare(tokenizer, each)
        if (difference) result.differences.push(`${line.name}: ${difference}`)
      }
    } catch (error) {
      result.differences.push(`${line.name}: does not open: ${String(error)}`)
    }
  }
  return result
}

/** The difference in one case; undefined if there is none. */
function compare(tokenizer: Tokenizer, expected: SweepCase): string | undefined {
  const { text, ids } = expected
  if (!ids) return undefined
  const differs = (what: string, got: unknown, wanted: unknown): string | undefined => {
    const [a, b] = [JSON.stringify(got), JSON.stringify(wanted)]
    return a === b ? undefined : `${what} of ${JSON.stringify(text)}\n    ${a}\n    ${b}`
  }
  try {
    const encoding = tokenizer.encodeWithOffsets(text)
    return (
      differs('ids', encoding.ids, ids) ??
      differs('ids by encode()', tokenizer.encode(text), ids) ??
      differs('offsets', encoding.offsets, expected.offsets) ??
      differs('decoded text', tokenizer.decode(ids), expected.decoded) ??
      differs('text', tokenizer.decode(ids, { skipSpecialTokens: true }), expected.skipped)
    )
  } catch (error) {
    return `${JSON.stringify(text)}: ${String(error)}`
  }
}
