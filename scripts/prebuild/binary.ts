// Reads the headers of libraries for Linux, macOS and Windows.

import { type LibraryHeader, readHeader } from '../../src/runtime/cpu/library-header.ts'

export interface Binary extends LibraryHeader {
  /** Names of exported symbols. */
  exports: string[]
  /** ELF and Mach-O: names of symbols that the process must supply. (In PE files, libraries are named for each.) */
  imports: string[]
  /** Names of required libraries. */
  needs: string[]
  /** ELF: the newest version of glibc that a symbol requires. */
  glibc: string | null
}

/** @throws Error for a file of another format */
export function readBinary(bytes: Buffer): Binary {
  const header = readHeader(bytes)
  if (header === null)
    throw new Error(
      `no library: it begins with ${bytes.subarray(0, 4).toString('hex') || 'nothing'}`,
    )
  return { ...header, ...READERS[header.format](bytes) }
}

type Contents = Omit<Binary, keyof LibraryHeader>

const READERS: Readonly<Record<LibraryHeader['format'], (bytes: Buffer) => Contents>> = {
  ELF: readElf,
  'Mach-O': readMach,
  PE: readPe,
}

/** Reads a string that ends with 0. */
const textAt = (bytes: Buffer, at: number): string =>
  bytes.toString('utf8', at, bytes.indexOf(0, at))

// ---- ELF, 64 bits, little endian

interface Section {
  type: number
  offset: number
  size: number
  /** The section of its names. */
  link: number
}

const DYNSYM = 11
const DYNAMIC = 6
const VERNEED = 0x6ffffffe

function readElf(bytes: Buffer): Contents {
  const start = Number(bytes.readBigUInt64LE(40))
  const sections = Array.from({ length: bytes.readUInt16LE(60) }, (_, i): Section => {
    const at = start + 64 * i
    const [offset, size] = [24, 32].map((field) => Number(bytes.readBigUInt64LE(at + field)))
    return { type: bytes.readUInt32LE(at + 4), offset, size, link: bytes.readUInt32LE(at + 40) }
  })
  const ofType = (type: number): Section[] => sections.filter((section) => section.type === type)
  const named = (section: Section, at: number): string =>
    textAt(bytes, sections[section.link].offset + at)
  const versions = ofType(VERNEED).flatMap((section) => versionsIn(bytes, section, named))
  const symbols = ofType(DYNSYM).flatMap((section) => elfSymbols(bytes, section, named))
  return {
    exports: symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name),
    imports: symbols.filter(({ isDefined }) => !isDefined).map(({ name }) => name),
    needs: ofType(DYNAMIC).flatMap((section) => neededBy(bytes, section, named)),
    glibc: newest(versions),
  }
}

type Named = (section: Section, at: number) => string

interface ElfSymbol {
  name: string
  isDefined: boolean
}

/** Symbols that are global or weak. */
function elfSymbols(bytes: Buffer, section: Section, named: Named): ElfSymbol[] {
  const symbols: ElfSymbol[] = []
  for (let at = section.offset; at < section.offset + section.size; at += 24) {
    const binding = bytes[at + 4] >> 4
    const isDefined = bytes.readUInt16LE(at + 6) !== 0
    if (binding > 0) symbols.push({ name: named(section, bytes.readUInt32LE(at)), isDefined })
  }
  return symbols
}

function neededBy(bytes: Buffer, section: Section, named: Named): string[] {
  const names: string[] = []
  for (let at = section.offset; at < section.offset + section.size; at += 16)
    if (bytes.readBigUInt64LE(at) === 1n)
      names.push(named(section, Number(bytes.readBigUInt64LE(at + 8))))
  return names
}

/** The required symbol versions, such as `GLIBC_2.17`. */
function versionsIn(bytes: Buffer, section: Section, named: Named): string[] {
  const names: string[] = []
  for (let at = section.offset, more = 1; more > 0; at += more) {
    let auxiliary = at + bytes.readUInt32LE(at + 8)
    for (let left = bytes.readUInt16LE(at + 2); left > 0; left--) {
      names.push(named(section, bytes.readUInt32LE(auxiliary + 8)))
      auxiliary += bytes.readUInt32LE(auxiliary + 12)
    }
    more = bytes.readUInt32LE(at + 12)
  }
  return names
}

function newest(versions: string[]): string | null {
  const numbers = versions.flatMap((name) => /^GLIBC_(\d+(?:\.\d+)*)$/.exec(name)?.[1] ?? [])
  return numbers.sort(compareVersions).at(-1) ?? null
}

/** Compares versions numerically: 2.9 is before 2.28. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number))
  const parts = left.map((part, i) => part - (right[i] ?? 0))
  return parts.find((difference) => difference !== 0) ?? left.length - right.length
}

// ---- Mach-O, 64 bits

const LOAD_DYLIB = 0xc
const SYMTAB = 0x2
const EXPORTS_TRIE = 0x80000033
const DYLD_INFO = 0x80000022

function readMach(bytes: Buffer): Contents {
  const binary: Contents = { exports: [], imports: [], needs: [], glibc: null }
  for (let left = bytes.readUInt32LE(16), at = 32; left > 0; left--) {
    const command = bytes.readUInt32LE(at)
    if (command === LOAD_DYLIB) binary.needs.push(textAt(bytes, at + bytes.readUInt32LE(at + 8)))
    if (command === SYMTAB) binary.imports.push(...machImports(bytes, at))
    const trie = command === EXPORTS_TRIE ? at + 8 : command === DYLD_INFO ? at + 40 : 0
    if (trie > 0) {
      const [start, size] = [bytes.readUInt32LE(trie), bytes.readUInt32LE(trie + 4)]
      binary.exports.push(...trieNames(bytes.subarray(start, start + size)))
    }
    at += bytes.readUInt32LE(at + 4)
  }
  return binary
}

/** Undefined, external symbols of the table that the load command at `at` describes. */
function machImports(bytes: Buffer, at: number): string[] {
  const [symbols, count, strings] = [8, 12, 16].map((field) => bytes.readUInt32LE(at + field))
  const names: string[] = []
  for (let symbol = symbols; symbol < symbols + 16 * count; symbol += 16)
    if ((bytes[symbol + 4] & 0xef) === 1)
      names.push(textAt(bytes, strings + bytes.readUInt32LE(symbol)).replace(/^_/, ''))
  return names
}

/** Reads the export trie: each node has the symbol of its prefix, and its children with parts of names. */
function trieNames(trie: Buffer, at = 0, prefix = ''): string[] {
  if (trie.length === 0) return []
  const size = leb(trie, at)
  const names = size.value > 0 ? [prefix.replace(/^_/, '')] : []
  let next = size.end + size.value
  for (let children = trie[next++]; children > 0; children--) {
    const piece = textAt(trie, next)
    const child = leb(trie, next + Buffer.byteLength(piece) + 1)
    names.push(...trieNames(trie, child.value, prefix + piece))
    next = child.end
  }
  return names
}

function leb(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value |= (byte & 127) << shift
    if (byte < 128) return { value, end: at }
  }
}

// ---- PE, 64 bits

function readPe(bytes: Buffer): Contents {
  const header = bytes.readUInt32LE(60)
  const [sectionCount, optional] = [bytes.readUInt16LE(header + 6), bytes.readUInt16LE(header + 20)]
  const sections = Array.from({ length: sectionCount }, (_, i) => {
    const at = header + 24 + optional + 40 * i
    const [size, address, , offset] = [8, 12, 16, 20].map((field) => bytes.readUInt32LE(at + field))
    return { size, address, offset }
  })
  /** Converts an address in memory to an offset in the file. */
  const place = (address: number): number => {
    const home = sections.find((s) => address >= s.address && address < s.address + s.size)
    return home ? address - home.address + home.offset : 0
  }
  const directory = (index: number): number => bytes.readUInt32LE(header + 24 + 112 + 8 * index) // its address; 0 if there is none
  return {
    exports: directory(0) ? peExports(bytes, place(directory(0)), place) : [],
    imports: [],
    needs: directory(1) ? peImports(bytes, place(directory(1)), place) : [],
    glibc: null,
  }
}

function peExports(bytes: Buffer, table: number, place: (address: number) => number): string[] {
  const names = place(bytes.readUInt32LE(table + 32))
  return Array.from({ length: bytes.readUInt32LE(table + 24) }, (_, i) =>
    textAt(bytes, place(bytes.readUInt32LE(names + 4 * i))),
  )
}

function peImports(bytes: Buffer, table: number, place: (address: number) => number): string[] {
  const names: string[] = []
  for (let at = table; bytes.readUInt32LE(at + 12) !== 0; at += 20)
    names.push(textAt(bytes, place(bytes.readUInt32LE(at + 12))))
  return names
}
