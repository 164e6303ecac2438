import type { TokenIds } from './steps.ts'

/**
 * Tokens and their ids in insertion order, as a hash table with open addressing over typed arrays. A vocabulary has up
 * to 262,144 tokens; strings in a `Map` take several times as long to read, and more memory.
 */
export class TokenTable implements TokenIds {
  size = 0
  /** Id, length and UTF-16 units (two per word) of each token, adjacent in memory for fast lookups. */
  private words = new Int32Array(1 << 10)
  private units = new Uint16Array(this.words.buffer)
  /** Number of words in use. */
  private used = 0
  /** For each slot, the hash of a token and its position in the words + 1; 0 for a free slot. */
  private slots = new Int32Array(2 << 7)
  /** Buffer for the units of a token to look up. */
  private scratch = new Uint16Array(0)
  private places: Int32Array | undefined

  /** Converts tokens to a table; a table is returned unchanged. */
  static of(tokens: TokenIds): TokenTable {
    if (tokens instanceof TokenTable) return tokens
    const table = new TokenTable()
    for (const [token, id] of tokens) table.set(token, id)
    return table
  }

  get(token: string): number | undefined {
    const { length } = token
    const { scratch } = this
    if (length > scratch.length) return undefined // longer than all tokens
    let hash = SEED
    for (let i = 0; i < length; i++) {
      const unit = token.charCodeAt(i)
      scratch[i] = unit
      hash = Math.imul(hash ^ unit, PRIME)
    }
    const id = this.find(scratch, 0, length, hash)
    return id < 0 ? undefined : id
  }

  /** The id of the token in `units`, given its `hashUnits`; -1 if there is none. */
  find(units: Uint16Array, from: number, to: number, hash: number): number {
    const place = this.slots[this.slotOf(units, from, to, hash) + 1] - 1
    return place < 0 ? -1 : this.words[place]
  }

  set(token: string, id: number): void {
    const units = new Uint16Array(token.length)
    for (let i = 0; i < token.length; i++) units[i] = token.charCodeAt(i)
    this.setUnits(units, token.length, id)
  }

  /** Adds the token in the first `length` units. An existing token gets the new id, like a repeated key in JSON. */
  setUnits(units: Uint16Array, length: number, id: number): void {
    const hash = hashUnits(units, 0, length)
    const slot = this.slotOf(units, 0, length, hash)
    this.places = undefined
    const known = this.slots[slot + 1] - 1
    if (known >= 0) {
      this.words[known] = id
      return
    }
    const place = this.used
    this.used = place + HEAD + ((length + 1) >> 1)
    if (this.used > this.words.length) this.growWords()
    this.words[place] = id
    this.words[place + 1] = length
    const start = (place + HEAD) * 2
    for (let i = 0; i < length; i++) this.units[start + i] = units[i]
    this.slots[slot] = hash
    this.slots[slot + 1] = place + 1
    if (length > this.scratch.length) this.scratch = new Uint16Array(length)
    if (++this.size * 4 > this.slots.length) this.growSlots()
  }

  /** The token of an id. If there are several, the last one. */
  tokenOf(id: number): string | undefined {
    const place = (this.placesOfIds()[id] ?? 0) - 1
    return place < 0 ? undefined : this.textAt(place)
  }

  /** The highest id plus one. */
  get idLimit(): number {
    return this.placesOfIds().length
  }

  /** Finds two tokens with the same id. */
  sharedId(): { token: string; other: string; id: number } | undefined {
    const places = this.placesOfIds()
    for (let place = 0; place < this.used; place = this.after(place)) {
      const id = this.words[place]
      const last = places[id] - 1
      if (last !== place) return { token: this.textAt(place), other: this.textAt(last), id }
    }
    return undefined
  }

  *[Symbol.iterator](): Generator<[token: string, id: number]> {
    for (let place = 0; place < this.used; place = this.after(place))
      yield [this.textAt(place), this.words[place]]
  }

  /** The `vocab` of a tokenizer.json. */
  toJSON(): Record<string, number> {
    return Object.fromEntries(this) // fromEntries defines keys without assignment, because `__proto__` may be a token
  }

  /** The slot for a token, which may be free. */
  private slotOf(units: Uint16Array, from: number, to: number, hash: number): number {
    const { slots } = this
    const mask = slots.length / 2 - 1
    for (let at = (hash ^ (hash >>> 15)) & mask; ; at = (at + 1) & mask) {
      const slot = at * 2
      const place = slots[slot + 1] - 1
      if (place < 0 || (slots[slot] === hash && this.isAt(place, units, from, to))) return slot
    }
  }

  private isAt(place: number, units: Uint16Array, from: number, to: number): boolean {
    if (this.words[place + 1] !== to - from) return false
    const shift = (place + HEAD) * 2 - from
    for (let i = from; i < to; i++) if (this.units[shift + i] !== units[i]) return false
    return true
  }

  private textAt(place: number): string {
    const start = (place + HEAD) * 2
    return textOf(this.units.subarray(start, start + this.words[place + 1]))
  }

  private after(place: number): number {
    return place + HEAD + ((this.words[place + 1] + 1) >> 1)
  }

  /** Position in the words + 1 of the token of each id; 0 for ids without a token. */
  private placesOfIds(): Int32Array {
    if (this.places) return this.places
    const { words, used } = this
    let limit = 0
    for (let place = 0; place < used; place = this.after(place))
      limit = Math.max(limit, words[place] + 1)
    const places = new Int32Array(limit)
    for (let place = 0; place < used; place = this.after(place)) places[words[place]] = place + 1
    this.places = places
    return places
  }

  private growWords(): void {
    const words = new Int32Array(Math.max(this.used, this.words.length * 2))
    words.set(this.words)
    this.words = words
    this.units = new Uint16Array(words.buffer)
  }

  private growSlots(): void {
    const before = this.slots
    const slots = new Int32Array(before.length * 2)
    const mask = before.length - 1
    for (let slot = 0; slot < before.length; slot += 2) {
      if (before[slot + 1] === 0) continue
      const hash = before[slot]
      let at = (hash ^ (hash >>> 15)) & mask
      while (slots[at * 2 + 1] > 0) at = (at + 1) & mask
      slots[at * 2] = hash
      slots[at * 2 + 1] = before[slot + 1]
    }
    this.slots = slots
  }
}

/** FNV-1a over UTF-16 units (Fowler, Noll and Vo, 1991). Pass `hash` to continue a hash of preceding units. */
export function hashUnits(units: Uint16Array, from: number, to: number, hash = SEED): number {
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ units[i], PRIME)
  return hash
}

const PRIME = 0x01000193
/** Random per process, so that no file can be crafted to make tokens collide. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0
/** Number of words before the units of a token. */
const HEAD = 2

/** Converts units to a string in parts, because the number of arguments of a function is limited. */
function textOf(units: Uint16Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += PART)
    text += String.fromCharCode(...units.subarray(at, at + PART))
  return text
}

const PART = 4096
