import { HeedError } from '../../util/errors.ts'
import { readMessage } from './protobuf.ts'

interface Piece {
  text: string
  score: number
  type: number
}

export interface SentencePieceModel {
  pieces: Piece[]
  kind: 'Unigram' | 'BPE'
  byteFallback: boolean
  charsMap: Uint8Array
  /** Whether a space is added at the start of the text. */
  addsPrefix: boolean
  /** Whether leading, trailing and repeated spaces are removed. */
  removesSpaces: boolean
  special: { bos_token?: string; eos_token?: string; unk_token?: string; pad_token?: string }
}

export const NORMAL = 1
export const UNKNOWN = 2
export const CONTROL = 3
export const USER_DEFINED = 4
export const BYTE = 6
const KINDS: Record<number, SentencePieceModel['kind']> = { 1: 'Unigram', 2: 'BPE', 4: 'BPE' } // 4: characters
const MAX_PIECES = 1 << 22

/** Parses a SentencePiece model. @throws HeedError unless it is a Unigram or BPE model */
export function readSentencePiece(bytes: Uint8Array, source: string): SentencePieceModel {
  const pieces: Piece[] = []
  let trainer = new Map<number, number | Uint8Array>()
  let normalizer = new Map<number, number | Uint8Array>()
  for (const { number, value } of readMessage(bytes, source)) {
    if (typeof value === 'number') continue
    if (number === 1 && pieces.length < MAX_PIECES) pieces.push(readPiece(value, source))
    else if (number === 2) trainer = lastFields(value, source)
    else if (number === 3) normalizer = lastFields(value, source)
  }
  const kind = KINDS[Number(trainer.get(3) ?? 1)]
  if (pieces.length === 0 || !kind) {
    const problem = pieces.length === 0 ? 'no pieces' : 'another kind of model'
    throw new HeedError(
      pieces.length === 0 ? 'corrupt-file' : 'unsupported',
      `${source} must be a Unigram or BPE model of SentencePiece, got ${problem}`,
      { remedy: 'Use another tokenizer file of the model, such as its tokenizer.json.' },
    )
  }
  const tokenAt = (field: number, usual: number): string | undefined => {
    const id = Number(trainer.get(field) ?? usual)
    return pieces[id]?.type === CONTROL || pieces[id]?.type === UNKNOWN
      ? pieces[id].text
      : undefined
  }
  const special = {
    unk_token: tokenAt(40, 0),
    bos_token: tokenAt(41, 1),
    eos_token: tokenAt(42, 2),
    pad_token: tokenAt(43, -1),
  }
  const charsMap = normalizer.get(2)
  return {
    pieces,
    kind,
    byteFallback: trainer.get(35) === 1,
    charsMap: charsMap instanceof Uint8Array ? charsMap : new Uint8Array(),
    addsPrefix: normalizer.get(3) !== 0,
    removesSpaces: normalizer.get(4) !== 0,
    special: Object.fromEntries(Object.entries(special).filter(([, token]) => token)),
  }
}

function readPiece(bytes: Uint8Array, source: string): Piece {
  const fields = lastFields(bytes, source)
  const text = fields.get(1)
  const score = fields.get(2)
  return {
    text: text instanceof Uint8Array ? decoder.decode(text) : '',
    score: typeof score === 'number' ? score : 0,
    type: Number(fields.get(3) ?? NORMAL),
  }
}

/** The fields of a message. The last value of a repeated field is used. */
function lastFields(bytes: Uint8Array, source: string): Map<number, number | Uint8Array> {
  const fields = new Map<number, number | Uint8Array>()
  for (const { number, value } of readMessage(bytes, source)) fields.set(number, value)
  return fields
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
