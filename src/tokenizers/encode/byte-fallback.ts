import { streaming, wholePieces } from './piece-stream.ts'
import type { Decoder } from './steps.ts'

/**
 * Joins consecutive tokens such as `<0xE2>` into text. If the sequence is not valid UTF-8, each byte becomes U+FFFD,
 * even those of complete characters. A stream therefore waits for the next token.
 */
export const byteFallback: Decoder = streaming((next) => {
  let run = new ByteRun()
  const flush = (): void => {
    for (const piece of run.end()) next.push(piece, true)
    run = new ByteRun()
  }
  return wholePieces(
    next,
    (piece) => {
      if (BYTE.test(piece))
        for (const text of run.add(Number.parseInt(piece.slice(3, 5), 16))) next.push(text, true)
      else {
        flush()
        next.push(piece, true)
      }
    },
    flush,
  )
})

const BYTE = /^<0x(?:[0-9A-Fa-f]{2}|\+[0-9A-Fa-f])>$/ // Rust accepts a sign too

/** A sequence of bytes. Its text is known at its end, or as soon as it is invalid. */
class ByteRun {
  private readonly utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
  private text = ''
  private count = 0
  private isValid = true

  add(byte: number): string[] {
    this.count++
    if (!this.isValid) return ['\ufffd']
    return this.decode(Uint8Array.of(byte)) ? [] : this.broken()
  }

  end(): string[] {
    if (this.count === 0 || !this.isValid) return []
    return this.decode() ? [this.text] : this.broken()
  }

  private decode(bytes?: Uint8Array): boolean {
    try {
      this.text += this.utf8.decode(bytes, { stream: bytes !== undefined })
    } catch {
      this.isValid = false
    }
    return this.isValid
  }

  private broken(): string[] {
    return new Array<string>(this.count).fill('\ufffd')
  }
}
