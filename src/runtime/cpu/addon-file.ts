// Checks the file of an addon without loading it, because loading a damaged library may end the process.
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { formatFor, HEADER_BYTES, readHeader } from './library-header.ts'

/** The version of the interface. Change it together with HEED_ABI in native/addon.cc. */
export const ABI = 2

export const OTHER_VERSION = 'it was built for another version of heed'

/** The expected size and hash of a file. */
export interface AddonRecord {
  readonly bytes: number
  /** Absent for an addon that was compiled here, because the check takes 5 ms of each start. */
  readonly sha256?: string
}

/** Returns the problem with a file, or null. Without a record, it must have the mark of an addon of this version. */
export function problemOf(path: string, record?: AddonRecord): string | null {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const stat = fstatSync(file)
    if (stat.isDirectory()) return 'it is a folder'
    if (!stat.isFile()) return 'it is not a regular file'
    if (stat.size === 0) return 'it is empty'
    const damage = record ? damageOf(file, stat.size, record) : null
    if (damage) return damage
    const start = read(file, 0, HEADER_BYTES)
    return (
      foreign(start) ?? lackOf(start, stat.size) ?? (record ? null : otherMark(file, stat.size))
    )
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? message})`
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Reads up to `size` bytes; fewer at the end of the file. */
function read(file: number, position: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  return bytes.subarray(0, readSync(file, bytes, 0, size, position))
}

function damageOf(file: number, size: number, record: AddonRecord): string | null {
  if (size !== record.bytes) return `it must have ${record.bytes} bytes, but has ${size}`
  if (record.sha256 === undefined) return null
  return sha256Of(file) === record.sha256 ? null : 'its content has changed'
}

/** Reads in pieces, because allocating memory for the whole file would take longer than its hash. */
function sha256Of(file: number): string {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(1 << 17)
  for (let at = 0, count = -1; count !== 0; at += count) {
    count = readSync(file, piece, 0, piece.length, at)
    hash.update(piece.subarray(0, count))
  }
  return hash.digest('hex')
}

/** The mark that native/addon.cc puts into the file. */
export const MARK = /heed addon: interface (?<abi>\d+), Node-API (?<api>\d+)/

function otherMark(file: number, size: number): string | null {
  const { abi, api } = MARK.exec(read(file, 0, size).toString('latin1'))?.groups ?? {}
  if (abi === undefined) return 'it is not an addon of heed'
  if (Number(abi) !== ABI) return OTHER_VERSION
  const own = Number(process.versions.napi)
  return Number(api) > own ? `it needs Node-API ${api}, but this Node has ${own}` : null
}

const SYSTEMS = { ELF: 'Linux', 'Mach-O': 'macOS', PE: 'Windows' } as const

function foreign(bytes: Buffer): string | null {
  const header = readHeader(bytes)
  if (header === null) return 'it is not a library'
  const format = formatFor(process.platform)
  const cpus: readonly string[] = [process.arch, 'several', 'other']
  if (header.format === format && cpus.includes(header.cpu)) return null
  const own = `${SYSTEMS[format]} on ${process.arch}`
  return `it is for ${SYSTEMS[header.format]} on ${header.cpu}, but this is ${own}`
}

/**
 * Detects a truncated ELF library, in which segments or the section table are missing at the end. Other systems
 * check this themselves.
 */
function lackOf(bytes: Buffer, size: number): string | null {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return null // 64 bits, little endian
  const long = (at: number): number => Number(bytes.readBigUInt64LE(at))
  const [programs, sections] = [long(32), long(40)]
  const ends = [sections + bytes.readUInt16LE(58) * bytes.readUInt16LE(60)]
  const each = bytes.readUInt16LE(54)
  for (let i = 0; i < bytes.readUInt16LE(56); i++) {
    const at = programs + i * each
    ends.push(at + 56 > bytes.length ? at + each : long(at + 8) + long(at + 32))
  }
  const needed = Math.max(...ends)
  return size < needed ? `it must have at least ${needed} bytes, but has ${size}` : null
}
