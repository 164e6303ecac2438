/** Incremental CRC-32 (ISO 3309), the checksum of ZIP archives. */
export class Crc32 {
  #state = 0xffffffff

  update(bytes: Uint8Array): void {
    let state = this.#state
    for (let i = 0; i < bytes.length; i++) state = TABLE[(state ^ bytes[i]) & 0xff] ^ (state >>> 8)
    this.#state = state
  }

  get value(): number {
    return ~this.#state >>> 0
  }
}

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let state = byte
  for (let bit = 0; bit < 8; bit++) state = state & 1 ? 0xedb88320 ^ (state >>> 1) : state >>> 1
  return state
})
