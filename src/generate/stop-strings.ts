import { HeedError } from '../util/errors.ts'

/**
 * Lets text through up to the first of the stop strings. What may become one is held back, and
 * nothing more than that.
 */
export class StopStrings {
  /** Whether a stop string has come. */
  stopped = false
  private readonly stops: readonly string[]
  private held = ''

  constructor(stops: readonly string[]) {
    if (stops.includes(''))
      throw new HeedError('invalid-option', 'An empty stop string would end every text')
    this.stops = stops
  }

  /** What can be shown now. */
  push(piece: string): string {
    if (this.stopped) return ''
    this.held += piece
    const at = this.firstStop()
    this.stopped = at >= 0
    return this.show(this.stopped ? at : this.held.length - this.waiting())
  }

  /** What is left at the end of the text. */
  end(): string {
    return this.stopped ? '' : this.show(this.held.length)
  }

  private show(length: number): string {
    const shown = this.held.slice(0, length)
    this.held = this.held.slice(length)
    return shown
  }

  private firstStop(): number {
    const found = this.stops.map((stop) => this.held.indexOf(stop)).filter((at) => at >= 0)
    return found.length > 0 ? Math.min(...found) : -1
  }

  /** The length of the longest end of the text that a stop string begins with. */
  private waiting(): number {
    let longest = 0
    for (const stop of this.stops)
      for (let length = Math.min(stop.length - 1, this.held.length); length > longest; length--)
        if (this.held.endsWith(stop.slice(0, length))) longest = length
    return longest
  }
}
