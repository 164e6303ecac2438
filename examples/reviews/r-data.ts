// One object of an R package's data, as `lazyLoad` keeps it: an index (.rdx), and a file in which each
// object is packed separately (.rdb). R Internals, 1.8 (serialization formats) and "lazy loading".
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { gunzipSync, inflateSync } from 'node:zlib'

type Value = null | string | Value[] | (number | string | null)[] | Named
interface Named {
  [name: string]: Value
}

/** The columns of a data frame; factors in words. */
export function readDataFrame(base: string, name: string): Record<string, (string | number)[]> {
  const index = new Reader(gunzipSync(readFileSync(`${base}.rdx`))).object() as Named
  const place = (index.variables as Named)[name] as [number, number] | undefined
  if (place === undefined) throw new Error(`${base} has no '${name}'`)
  const [start, size] = place
  const packed = readFileSync(`${base}.rdb`).subarray(start, start + size)
  return new Reader(unpack(packed)).object() as Record<string, (string | number)[]>
}

/** Four bytes of length, then zlib, or `Z` and raw LZMA2. */
function unpack(bytes: Buffer): Buffer {
  if (bytes[4] !== 0x5a) return inflateSync(bytes.subarray(4))
  const args = ['--decompress', '--stdout', '--format=raw', '--lzma2=dict=64MiB']
  const maxBuffer = bytes.readUInt32BE(0) + 1
  const { stdout, status, error } = spawnSync('xz', args, { input: bytes.subarray(5), maxBuffer })
  if (status === 0) return stdout
  throw new Error(
    `'xz' could not unpack the data (${error?.message ?? `code ${status}`}); Debian's package xz-utils has it`,
  )
}

/** R's types that data frames are made of, by their numbers. */
const SYMBOL = 1
const PAIRS = 2
const CHARACTERS = 9
const LOGICAL = 10
const INTEGER = 13
const REAL = 14
const STRINGS = 16
const LIST = 19
const REFERENCE = 255
const NOTHING = 254

class Reader {
  private readonly bytes: Buffer
  private readonly symbols: Value[] = []
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  object(): Value {
    if (this.text(2) !== 'X\n') throw new Error('this is not an object that R wrote')
    const version = this.integer()
    this.at += 8 // who wrote it, and who can read it
    if (version >= 3) this.text(this.integer()) // its encoding
    return this.item()
  }

  private item(): Value {
    const flags = this.integer()
    const type = flags & 0xff
    if (type === NOTHING) return null
    if (type === REFERENCE) return this.symbols[(flags >> 8) - 1]
    if (type === PAIRS) return this.pairs(flags)
    if (type === SYMBOL) {
      const name = this.item()
      this.symbols.push(name)
      return name
    }
    const length = this.integer()
    if (type === CHARACTERS) return length < 0 ? null : this.text(length)
    const values = Array.from({ length }, () => this.element(type))
    return flags & 0x200 ? withAttributes(values, this.item() as Named) : (values as Value)
  }

  private element(type: number): Value | number {
    if (type === LIST || type === STRINGS) return this.item()
    if (type === INTEGER || type === LOGICAL) return this.integer()
    if (type === REAL) {
      this.at += 8
      return this.bytes.readDoubleBE(this.at - 8)
    }
    throw new Error(`R's type ${type} is not read here`)
  }

  /** A chain of named values. */
  private pairs(first: number): Named {
    const found: Named = {}
    for (let flags = first; (flags & 0xff) === PAIRS; flags = this.integer()) {
      if (flags & 0x200) this.item()
      const name = flags & 0x400 ? String(this.item()) : ''
      found[name] = this.item()
    }
    return found
  }

  private integer(): number {
    this.at += 4
    return this.bytes.readInt32BE(this.at - 4)
  }

  private text(length: number): string {
    this.at += length
    return this.bytes.toString('utf8', this.at - length, this.at)
  }
}

/** Lists get their names, factors their words. */
function withAttributes(values: (Value | number)[], { names, levels }: Named): Value {
  if (levels) return values.map((level) => (levels as string[])[(level as number) - 1])
  if (!names) return values as Value
  return Object.fromEntries((names as string[]).map((name, i) => [name, values[i] as Value]))
}
