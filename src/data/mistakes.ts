import { argumentKinds } from '../util/argument-kinds.ts'
import { HeedError } from '../util/errors.ts'
import type { Row } from './row.ts'

const MISTAKE = { file: 'text', number: 'number' } as const
const checkAdd = argumentKinds('Mistakes.add', { ...MISTAKE, message: 'text', remedy: 'text?' })
const checkAttempt = argumentKinds('Mistakes.attempt', { ...MISTAKE, work: 'function' })

/** Collects the errors of rows, so that one run reports all of them. */
export class Mistakes {
  private readonly list: { file: string; number: number; message: string }[] = []
  private readonly remedies = new Set<string>()

  /**
   * Adds an error. One per row is enough.
   * @throws HeedError that lists all errors when there are 20
   */
  add(row: Pick<Row, 'file' | 'number'>, message: string, remedy?: string): void {
    const { file, number } = Object(row)
    checkAdd(file, number, message, remedy)
    this.list.push({ file, number, message: message.replaceAll('\n', ' ') })
    if (remedy) this.remedies.add(remedy)
    if (this.list.length >= MOST) this.throwIfAny()
  }

  /** Runs `work` and returns its result. If it throws a HeedError, the error is added and the result is undefined. */
  attempt<T>(row: Pick<Row, 'file' | 'number'>, work: () => T): T | undefined {
    const { file, number } = Object(row)
    checkAttempt(file, number, work)
    try {
      return work()
    } catch (error) {
      if (!(error instanceof HeedError)) throw error
      this.add(row, error.message, error.remedy)
      return undefined
    }
  }

  /** @throws HeedError that lists all errors with file and row, if there are any */
  throwIfAny(): void {
    const { length } = this.list
    if (length === 0) return
    const count =
      length >= MOST ? `${length} or more rows are` : length > 1 ? `${length} rows are` : 'a row is'
    const files = [...new Set(this.list.map(({ file }) => file))]
    const lines = this.list
      .toSorted((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.number - b.number)
      .map(({ file, number, message }) => `\n  ${file}:${number}: ${message}`)
    throw new HeedError('invalid-data', `${count} wrong:${lines.join('')}`, {
      remedy: [...this.remedies].slice(0, MOST_REMEDIES).join('\n  ') || undefined,
    })
  }
}

const MOST = 20
const MOST_REMEDIES = 3
