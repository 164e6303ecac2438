import { invalidOption } from '../util/errors.ts'

/**
 * Passes on text up to the first stop string. Only text that may be the start of a stop string is held back. The text of
 * special tokens is searched for stop strings too, but not shown.
 */
export class StopStrings {
  /** Whether a stop string was found. */
  stopped = false
  private readonly stops: readonly string[]
  private held = ''
  /** For each character of `held`, whether to show it. */
  private shown: boolean[] = []

  constructor(stops: readonly string[]) {
    if (stops.includes(''))
      throw invalidOption({
        key: 'stop',
        value: '',
        expected: 'strings of at least one character',
        remedy: 'Remove the empty string, which would end every text.',
      })
    this.stops = stops
  }

  /** Adds a piece of text. Returns the text that can be shown. */
  push(piece: string, { isShown = true } = {}): string {
    if (this.stopped) return ''
    if (this.stops.length === 0) return isShown ? piece : ''
    this.held += piece
    for (let i = 0; i < piece.length; i++) this.shown.push(isShown)
    const at = this.firstStop()
    this.stopped = at >= 0
    return this.show(this.stopped ? at : this.held.length - this.waiting())
  }

  /** Ends the text. Returns the text that was held back. */
  end(): string {
    return this.stopped ? '' : this.show(this.held.length)
  }

  private show(length: number): string {
    let text = ''
    for (let i = 0; i < length; i++) if (this.shown[i]) text += this.held[i]
    this.held = this.held.slice(length)
    this.shown = this.shown.slice(length)
    return text
  }

  private firstStop(): number {
    const places = this.stops.map((stop) => this.held.indexOf(stop)).filter((at) => at >= 0)
    return places.length > 0 ? Math.min(...places) : -1
  }

  /** The length of the longest suffix of the text that is a prefix of a stop string. */
  private waiting(): number {
    let longest = 0
    for (const stop of this.stops)
      for (let length = Math.min(stop.length - 1, this.held.length); length > longest; length--)
        if (this.held.endsWith(stop.slice(0, length))) longest = length
    return longest
  }
}
