// Decoders that get tokens one at a time. Decoding a whole text runs the same stream, so both give the same text.
import type { Decoder, PieceSink } from './steps.ts'

type PieceStream = NonNullable<Decoder['stream']>

/** A decoder that runs its stream. */
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
 * A decoder that rewrites each piece by itself.
 * @param begin starts a text; its result returns null where a piece is dropped
 */
export const eachPiece = (begin: () => (piece: string) => string | null): Decoder =>
  streaming((next) => {
    const rewrite = begin()
    return wholePieces(next, (piece) => {
      const text = rewrite(piece)
      if (text !== null) next.push(text, true)
    })
  })

/** Collects the parts of each piece. */
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

/** Runs decoders one after the other; undefined where one of them has no stream. */
export function chained(decoders: readonly Decoder[]): PieceStream | undefined {
  const streams: PieceStream[] = []
  for (const { stream } of decoders) {
    if (!stream) return undefined
    streams.push(stream)
  }
  return (last) => streams.reduceRight((next, stream) => stream(next), last)
}
