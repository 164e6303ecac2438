import { Mistakes, type PackedExamples, type Row, type RowSource } from '../../data/index.ts'
import { macrotask } from '../../util/macrotask.ts'
import { type EncodeOptions, stopped } from '../examples.ts'
import type { RowEncoder } from '../task.ts'
import { type EncodedPart, encodePart } from './encode-part.ts'

/** Whoever makes examples of some rows: this thread, or others. */
export interface PartEncoder {
  /** How many parts may be under way at once. */
  readonly ahead: number
  encode(rows: readonly Row[]): Promise<EncodedPart>
}

export function thisThread(encoder: RowEncoder): PartEncoder {
  return {
    ahead: 1,
    async encode(rows) {
      await macrotask() // lets the caller's screen and signals have their turn
      return encodePart(encoder, rows)
    },
  }
}

/**
 * The examples of all rows in their order, part by part; no more rows are held than are under way.
 * Mistakes are told as if each row had been encoded as soon as it was read.
 * @throws HeedError that lists the rows which are wrong with file and number, up to twenty of them
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
          fault = error // told once all that was read before is known
          reading = false
        }
      const next = underWay.shift()
      if (!next) break
      const encoded = await next.work
      next.part.tell(mistakes, encoded.mistakes)
      onRows?.((rows += next.part.rows.length))
      yield encoded.packed
    }
    if (fault) throw fault
    mistakes.throwIfAny()
  } finally {
    await parts.return(undefined)
  }
}

/** A promise that may fail before somebody waits for it. */
function handled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {})
  return work
}

const MOST_ROWS = 256
const MOST_CHARACTERS = 1 << 17

/** Rows that are encoded together, with the mistakes that were met in reading them. */
class Part extends Mistakes {
  readonly rows: Row[] = []
  private readonly met: { before: number; arguments: Parameters<Mistakes['add']> }[] = []
  private characters = 0

  override add(...given: Parameters<Mistakes['add']>): void {
    this.met.push({ before: this.rows.length, arguments: given })
    super.add(...given) // ends the reading once there are too many
  }

  push(row: Row): void {
    this.rows.push(row)
    this.characters += charactersIn(row.values)
  }

  get full(): boolean {
    return this.rows.length >= MOST_ROWS || this.characters >= MOST_CHARACTERS
  }

  /** Notes all mistakes in the order of the rows. */
  tell(mistakes: Mistakes, ofRows: EncodedPart['mistakes']): void {
    const [read, encoded] = [[...this.met], [...ofRows]]
    for (let row = 0; row <= this.rows.length; row++) {
      while (read[0]?.before === row) mistakes.add(...(read.shift() as (typeof read)[0]).arguments)
      if (encoded[0]?.row === row)
        mistakes.add(this.rows[row], (encoded.shift() as (typeof encoded)[0]).message)
    }
  }
}

async function* cutRows(source: RowSource): AsyncGenerator<Part> {
  let part = new Part()
  /** Whatever is read now belongs to the part that is being filled. */
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

/** About how many: what a row takes in memory, and to encode. */
function charactersIn(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength
  let characters = 0
  for (const one of Object.values(value)) characters += charactersIn(one)
  return characters
}
