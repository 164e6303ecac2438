// Valid files for the fuzzer, from the fixtures of the tests or generated here.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { type ArchiveEntry, zip } from '../../test/io/pytorch-archive.ts'
import type { PackedFile, Sample, SampleFile } from './input.ts'
import { joined } from './mutate-bytes.ts'

const FIXTURES = fileURLToPath(new URL('../../test/fixtures/', import.meta.url))

export const fixture = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(join(FIXTURES, path)))

export const fixtureJson = (path: string) => JSON.parse(readFileSync(join(FIXTURES, path), 'utf8'))

export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

export const jsonFile = (value: unknown): Uint8Array => utf8(JSON.stringify(value))

/** The paths of fixtures below a folder. */
export function fixturesIn(folder: string): string[] {
  const entries = readdirSync(join(FIXTURES, folder), { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FIXTURES.length))
    .sort()
}

/** A sample for each of these fixtures, under one name. */
export const samplesOf = (paths: readonly string[], name: string): Sample[] =>
  paths.map((path) => ({ files: { [name]: fixture(path) } }))

/** The files in the folder of a fixture, without its expected results. */
export function folderSample(folder: string, changed?: readonly string[]): Sample {
  const paths = fixturesIn(folder).filter((path) => !path.includes('expected'))
  const files: Record<string, SampleFile> = {}
  for (const path of paths) files[path.slice(folder.length + 1)] = fixture(path)
  return { files, ...(changed && { changed: changed.filter((name) => name in files) }) }
}

/** The first model folder below each of these fixtures. */
export function modelFolders(families: readonly string[]): string[] {
  return families.flatMap((family) => {
    const names = readdirSync(join(FIXTURES, family)).sort()
    const name = names.find((each) => existsSync(join(FIXTURES, family, each, 'model.safetensors')))
    return name ? [`${family}/${name}`] : []
  })
}

/** Folders of fixtures that contain this file. */
export const families = (): string[] =>
  readdirSync(FIXTURES)
    .filter((name) => statSync(join(FIXTURES, name)).isDirectory())
    .filter((name) => modelFolders([name]).length > 0)

/** A safetensors file whose header and numbers are changed separately. */
export function packedSafetensors(bytes: Uint8Array): PackedFile {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  return {
    parts: { header: bytes.subarray(8, 8 + length), data: bytes.subarray(8 + length) },
    pack({ header, data }) {
      const size = new BigUint64Array([BigInt(header.length)])
      return joined(new Uint8Array(size.buffer), header, data)
    },
  }
}

/** An archive of torch.save whose entries are changed separately, with valid sizes and checksums. */
export function packedArchive(entries: readonly ArchiveEntry[]): PackedFile {
  return {
    parts: Object.fromEntries(entries.map(({ name, data }) => [name, new Uint8Array(data)])),
    pack: (parts) =>
      new Uint8Array(zip(entries.map((entry) => ({ ...entry, data: parts[entry.name] })))),
  }
}

/** The entries of a ZIP archive that stores them without compression. */
export function entriesOf(bytes: Uint8Array): ArchiveEntry[] {
  const archive = Buffer.from(bytes)
  const entries: ArchiveEntry[] = []
  let at = archive.indexOf('PK\x01\x02', 0, 'latin1')
  while (at >= 0 && archive.readUInt32LE(at) === 0x02014b50) {
    const [size, nameLength, extra, comment] = [
      archive.readUInt32LE(at + 24),
      archive.readUInt16LE(at + 28),
      archive.readUInt16LE(at + 30),
      archive.readUInt16LE(at + 32),
    ]
    const header = archive.readUInt32LE(at + 42)
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength)
    const begin =
      header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28)
    entries.push({ name, data: bytes.slice(begin, begin + size) })
    at += 46 + nameLength + extra + comment
  }
  return entries
}

/** Text that is compressed after it was changed. */
export const gzipped = (text: string): PackedFile => ({
  parts: { content: utf8(text) },
  pack: ({ content }) => new Uint8Array(gzipSync(content, { level: 1 })),
})
