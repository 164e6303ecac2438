import { HeedError } from '../util/errors.ts'
import type { Row } from './row.ts'

/** Collects what is wrong with rows, so that one run shows all of it and not the first alone. */
export class Mistakes {
  private readonly found: { file: string; number: number; message: string }[] = []
  private remedy: string | undefined

  /**
   * Notes a mistake. Of one row, the first is enough.
   * @throws HeedError that lists all, once there are twenty
   */
  add({ file, number }: Pick<Row, 'file' | 'number'>, message: string, remedy?: string): void {
    this.found.push({ file, number, message: message.replaceAll('\n', ' ') })
    this.remedy ??= remedy
    if (this.found.length >= MOST) this.throwIfAny()
  }

  /** Runs `work`; what a HeedError says is noted, and the result is undefined. */
  attempt<T>(row: Pick<Row, 'file' | 'number'>, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      this.add(row, error.message)
      return undefined
    }
  }

  /** @throws HeedError that lists all mistakes with file and row, when there are any */
  throwIfAny(): void {
    const { length } = this.found
    if (length === 0) return
    const count =
      length >= MOST ? `${length} or more rows are` : length > 1 ? `${length} rows are` : 'a row is'
    const files = [...new Set(this.found.map(({ file }) => file))]
    const lines = this.found
      .toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.number - b.number)
      .map(({ file, number, message }) => `\n  ${file}:${number}: ${message}`)
    throw new HeedError('invalid-data', `${count} wrong:${lines.join('')}`, { remedy: this.remedy })
  }
}

const MOST = 20
