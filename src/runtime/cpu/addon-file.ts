// What is wrong with the file of an addon, found without loading it: loading a damaged library may end the process.
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { formatFor, HEADER_BYTES, readHeader } from './library-header.ts'

/** What a file must be. */
export interface AddonRecord {
  readonly bytes: number
  readonly sha256: string
}

/** Null if nothing is found. Without a record, the header alone is checked. */
export function problemOf(path: string, record?: AddonRecord): string | null {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const stat = fstatSync(file)
    if (stat.isDirectory()) return 'it is a folder'
    if (!stat.isFile()) return 'it is no regular file'
    if (stat.size === 0) return 'it is empty'
    const bytes = readStart(file, record ? stat.size : Math.min(stat.size, HEADER_BYTES))
    return (record && damageOf(bytes, record)) ?? foreign(bytes) ?? lackOf(bytes, stat.size)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code ?? message})`
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

function readStart(file: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  let read = 0
  for (let more = -1; more !== 0 && read < size; read += more)
    more = readSync(file, bytes, read, size - read, read)
  return bytes.subarray(0, read)
}

function damageOf(bytes: Buffer, record: AddonRecord): string | null {
  if (bytes.length !== record.bytes)
    return `it has ${bytes.length} bytes and must have ${record.bytes}`
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return sha256 === record.sha256 ? null : 'its content has changed'
}

const SYSTEMS = { ELF: 'Linux', 'Mach-O': 'macOS', PE: 'Windows' } as const

function foreign(bytes: Buffer): string | null {
  const header = readHeader(bytes)
  if (header === null) return 'it is no library'
  const format = formatFor(process.platform)
  const cpus: readonly string[] = [process.arch, 'several', 'other']
  if (header.format === format && cpus.includes(header.cpu)) return null
  const own = `${SYSTEMS[format]} on ${process.arch}`
  return `it is for ${SYSTEMS[header.format]} on ${header.cpu}, and this is ${own}`
}

/**
 * What an ELF library lacks at its end: its segments, or the table of its sections. Other systems find this out
 * themselves.
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
  return size < needed ? `it has ${size} bytes and must have at least ${needed}` : null
}
