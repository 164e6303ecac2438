import type { TokenIds } from './steps.ts'

/**
 * Tokens and their ids, in the order in which they were added: a hash table with open addressing over plain arrays.
 * A vocabulary has up to 262,144 tokens. As strings in a `Map` they take several times as long to read, and more memory.
 */
export class TokenTable implements TokenIds {
  size = 0
  /** For each token its id, its length and its UTF-16 units, two in a word: a search reads neighbouring memory. */
  private words = new Int32Array(1 << 10)
  private units = new Uint16Array(this.words.buffer)
  /** The words in use. */
  private used = 0
  /** For each slot the hash of a token, and where it begins in the words + 1; 0 for a free slot. */
  private slots = new Int32Array(2 << 7)
  /** Holds the units of a token that is searched for. */
  private scratch = new Uint16Array(0)
  private places: Int32Array | undefined

  /** The table itself, or a table of other tokens. */
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

  /** The id of the token in `units`, whose `hashUnits` is known; -1 if there is none. */
  find(units: Uint16Array, from: number, to: number, hash: number): number {
    const place = this.slots[this.slotOf(units, from, to, hash) + 1] - 1
    return place < 0 ? -1 : this.words[place]
  }

  set(token: string, id: number): void {
    const units = new Uint16Array(token.length)
    for (let i = 0; i < token.length; i++) units[i] = token.charCodeAt(i)
    this.setUnits(units, token.length, id)
  }

  /** Adds the token in the first `length` units. A token that is there gets the new id, as in an object of JSON. */
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

  /** The token of an id; of several, the last. */
  tokenOf(id: number): string | undefined {
    const place = (this.placesOfIds()[id] ?? 0) - 1
    return place < 0 ? undefined : this.textAt(place)
  }

  /** The highest id plus one. */
  get idLimit(): number {
    return this.placesOfIds().length
  }

  /** A token whose id another one has. */
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
    return Object.fromEntries(this) // not by assignment: `__proto__` may be a token
  }

  /** The slot of a token, or the free one where it belongs. */
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

  /** Where the token of each id begins in the words + 1; 0 for ids without one. */
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

/** FNV-1a over UTF-16 units (Fowler, Noll and Vo, 1991). `hash` continues that of the units before. */
export function hashUnits(units: Uint16Array, from: number, to: number, hash = SEED): number {
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ units[i], PRIME)
  return hash
}

const PRIME = 0x01000193
/** Differs in each process, so that no file can be made of tokens that share a slot. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0
/** The words before the units of a token. */
const HEAD = 2

/** In parts, because a function has a limited number of arguments. */
function textOf(units: Uint16Array): string {
  let text = ''
  for (let at = 0; at < units.length; at += PART)
    text += String.fromCharCode(...units.subarray(at, at + PART))
  return text
}

const PART = 4096
