/** Format and processor of a library, from its first bytes. */
export interface LibraryHeader {
  readonly format: 'ELF' | 'Mach-O' | 'PE'
  /** 'several' for a universal Mach-O file. */
  readonly cpu: 'x64' | 'arm64' | 'several' | 'other'
}

/** Maximum number of bytes that `readHeader` needs. */
export const HEADER_BYTES = 4096

/** Returns null if the file has none of the three formats. */
export function readHeader(bytes: Buffer): LibraryHeader | null {
  const magic = bytes.length >= 64 ? bytes.readUInt32BE(0) : 0
  if (magic === 0x7f454c46) return header('ELF', bytes.readUInt16LE(18))
  if (magic === 0xcffaedfe) return header('Mach-O', bytes.readUInt32LE(4))
  if (magic === 0xcafebabe) return { format: 'Mach-O', cpu: 'several' }
  const pe = magic >>> 16 === 0x4d5a ? bytes.readUInt32LE(60) : bytes.length
  if (pe + 6 > bytes.length || bytes.readUInt32BE(pe) !== 0x50450000) return null
  return header('PE', bytes.readUInt16LE(pe + 4))
}

/** The format of libraries on a platform, given as in `process.platform`. */
export const formatFor = (platform: string): LibraryHeader['format'] =>
  platform === 'darwin' ? 'Mach-O' : platform === 'win32' ? 'PE' : 'ELF'

/** Numbers of the processors in each format. */
const CPUS: Readonly<Record<LibraryHeader['format'], Readonly<Record<number, 'x64' | 'arm64'>>>> = {
  ELF: { 62: 'x64', 183: 'arm64' },
  'Mach-O': { 16777223: 'x64', 16777228: 'arm64' },
  PE: { 34404: 'x64', 43620: 'arm64' },
}

const header = (format: LibraryHeader['format'], cpu: number): LibraryHeader => ({
  format,
  cpu: CPUS[format][cpu] ?? 'other',
})
