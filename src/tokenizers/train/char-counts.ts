/** Counts the characters (code points) of a text. */
export class CharCounts {
  private counts = new Float64Array(0x110000)

  add(text: string, times = 1): void {
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i) as number
      this.counts[code] += times
      if (code > 0xffff) i++
    }
  }

  /** The `limit` most frequent characters, in code point order. */
  characters(limit = Number.POSITIVE_INFINITY): string[] {
    const codes: number[] = []
    this.counts.forEach((count, code) => {
      if (count > 0 && !isSurrogate(code)) codes.push(code)
    })
    if (codes.length > limit) {
      codes.sort((a, b) => this.counts[b] - this.counts[a] || a - b)
      codes.length = limit
      codes.sort((a, b) => a - b)
    }
    return codes.map((code) => String.fromCodePoint(code))
  }
}

/** Whether a code is a lone surrogate. UTF-8 cannot encode it, so it becomes the unknown token. */
function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff
}
