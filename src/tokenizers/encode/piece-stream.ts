// Streaming decoders. Decoding a whole text runs the same stream, so the results are identical.
import type { Decoder, PieceSink } from './steps.ts'

type PieceStream = NonNullable<Decoder['stream']>

/** Makes a decoder from a stream. */
export function streaming(stream: PieceStream): Decoder {
  const decode = (tokens: string[]): string[] => {
    const pieces: string[] = []
    let isOpen = false
    const sink = stream({
      push(text, complete) {
        if (isOpen) pieces[pieces.length - 1] += text
        else pieces.push(text)
        isOpen = !complete
      },
      end() {},
    })
    for (const token of tokens) sink.push(token, true)
    sink.end()
    return pieces
  }
  return Object.assign(decode, { stream })
}

/**
 * Makes a decoder that maps each piece independently.
 * @param begin called at the start of a text; the function it returns maps a piece, or returns null to drop it
 */
export const eachPiece = (begin: () => (piece: string) => string | null): Decoder =>
  streaming((next) => {
    const rewrite = begin()
    return wholePieces(next, (piece) => {
      const text = rewrite(piece)
      if (text !== null) next.push(text, true)
    })
  })

/** Joins the parts of each piece. */
export function wholePieces(
  next: PieceSink,
  use: (piece: string) => void,
  finish: () => void = () => {},
): PieceSink {
  let piece = ''
  return {
    push(text, complete) {
      piece += text
      if (!complete) return
      use(piece)
      piece = ''
    },
    end() {
      finish()
      next.end()
    },
  }
}

/** Chains decoders; undefined if one of them has no stream. */
export function chained(decoders: readonly Decoder[]): PieceStream | undefined {
  const streams: PieceStream[] = []
  for (const { stream } of decoders) {
    if (!stream) return undefined
    streams.push(stream)
  }
  return (last) => streams.reduceRight((next, stream) => stream(next), last)
}
