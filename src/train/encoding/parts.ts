import { Mistakes, type PackedExamples, type Row, type RowSource } from '../../data/index.ts'
import { macrotask } from '../../util/macrotask.ts'
import { type EncodeOptions, stopped } from '../examples.ts'
import type { RowEncoder } from '../task.ts'
import { type EncodedPart, encodePart } from './encode-part.ts'

/** Encodes parts, which are groups of rows, in this thread or in others. */
export interface PartEncoder {
  /** Maximum number of parts in progress. */
  readonly ahead: number
  encode(rows: readonly Row[]): Promise<EncodedPart>
}

/** Encodes parts in the current thread. */
export function thisThread(encoder: RowEncoder): PartEncoder {
  return {
    ahead: 1,
    async encode(rows) {
      await macrotask() // lets the caller update its display and handle signals
      return encodePart(encoder, rows)
    },
  }
}

/**
 * Yields the examples of all rows in order, part by part; only the parts in progress are in memory. Mistakes are reported
 * as if each row had been encoded when it was read.
 * @throws HeedError that lists up to 20 bad rows with file and row number
 */
export async function* encodeParts(
  source: RowSource,
  encoder: PartEncoder,
  { onRows, signal }: EncodeOptions = {},
): AsyncGenerator<PackedExamples> {
  const parts = cutRows(source)
  const mistakes = new Mistakes()
  const underWay: { part: Part; work: Promise<EncodedPart> }[] = []
  let reading = true
  let fault: unknown
  let rows = 0
  try {
    for (;;) {
      if (signal?.aborted) throw stopped()
      while (reading && underWay.length < encoder.ahead)
        try {
          const { value: part, done } = await parts.next()
          if (done) reading = false
          else underWay.push({ part, work: handled(encoder.encode(part.rows)) })
        } catch (error) {
          fault = error // thrown after mistakes in earlier rows
          reading = false
        }
      const next = underWay.shift()
      if (!next) break
      const encoded = await next.work
      next.part.report(mistakes, encoded.mistakes)
      onRows?.((rows += next.part.rows.length))
      yield encoded.packed
    }
    if (fault) throw fault
    mistakes.throwIfAny()
  } finally {
    await parts.return(undefined)
  }
}

/** Allows a promise to be rejected before it is awaited. */
function handled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

const MOST_ROWS = 256
const MOST_CHARACTERS = 1 << 17

/** A group of rows, with the mistakes found when reading them. */
class Part extends Mistakes {
  readonly rows: Row[] = []
  private readonly met: { before: number; arguments: Parameters<Mistakes['add']> }[] = []
  private characters = 0

  override add(...given: Parameters<Mistakes['add']>): void {
    this.met.push({ before: this.rows.length, arguments: given })
    super.add(...given) // throws when there are too many
  }

  push(row: Row): void {
    this.rows.push(row)
    this.characters += charactersIn(row.values)
  }

  get full(): boolean {
    return this.rows.length >= MOST_ROWS || this.characters >= MOST_CHARACTERS
  }

  /** Adds the mistakes of reading and of encoding, in the order of the rows. */
  report(mistakes: Mistakes, ofRows: EncodedPart['mistakes']): void {
    const [read, encoded] = [[...this.met], [...ofRows]]
    for (let row = 0; row <= this.rows.length; row++) {
      while (read[0]?.before === row) mistakes.add(...(read.shift() as (typeof read)[0]).arguments)
      if (encoded[0]?.row !== row) continue
      const { message, remedy } = encoded.shift() as (typeof encoded)[0]
      mistakes.add(this.rows[row], message, remedy)
    }
  }
}

/** Groups rows into parts. */
async function* cutRows(source: RowSource): AsyncGenerator<Part> {
  let part = new Part()
  /** Adds mistakes of reading to the current part. */
  const current = new (class extends Mistakes {
    override add(...given: Parameters<Mistakes['add']>): void {
      part.add(...given)
    }
  })()
  try {
    for await (const row of source.rows(current)) {
      part.push(row)
      if (!part.full) continue
      yield part
      part = new Part()
    }
  } catch (error) {
    yield part
    throw error
  }
  yield part
}

/** Estimates the memory and time that a row takes, in characters. */
function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength
  let characters = 0
  for (const item of Object.values(value)) characters += charactersIn(item)
  return characters
}
