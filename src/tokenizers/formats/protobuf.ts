import { HeedError } from '../../util/errors.ts'

/** A field of a protocol buffer message: a number or bytes. */
export interface ProtoField {
  number: number
  value: number | Uint8Array
}

/**
 * Yields the fields of a message in the wire format of protocol buffers. Numbers above 2⁵³ are rounded.
 * @throws HeedError for bytes that are not a message
 */
export function* readMessage(bytes: Uint8Array, source: string): Generator<ProtoField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const fail = (problem: string): never => {
    throw new HeedError(
      'corrupt-file',
      `${source} must be a protocol buffer, got ${problem} at byte ${at}`,
      { remedy: 'Copy or download the file again.' },
    )
  }
  const skip = (length: number): number => {
    if (length > bytes.length - at) fail(`a field of ${length} bytes beyond the end`)
    at += length
    return at - length
  }
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[skip(1)]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return fail('an endless number')
  }
  while (at < bytes.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    const kind = key % 8
    if (kind === 0) yield { number, value: varint() }
    else if (kind === 1) yield { number, value: view.getFloat64(skip(8), true) }
    else if (kind === 5) yield { number, value: view.getFloat32(skip(4), true) }
    else if (kind === 2) {
      const length = varint()
      const start = skip(length)
      yield { number, value: bytes.subarray(start, start + length) }
    } else fail(`a field of kind ${kind}`)
  }
}
