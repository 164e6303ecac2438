import { instructionSets, root } from '../../native/compile.mjs'
import { MARK } from '../../src/runtime/cpu/addon-file.ts'
import { formatFor } from '../../src/runtime/cpu/library-header.ts'
import type { Target } from '../../src/runtime/cpu/targets.ts'
import { type Binary, compareVersions, readBinary } from './binary.ts'

/** The only symbols that an addon may export. */
export const ENTRY_POINTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1']

/** Symbols that zig's linker adds on macOS. */
const OF_LINKER = ['__dso_handle', '_mh_dylib_header']

/** The newest glibc of the oldest Linux distributions that Node 20 supports. */
const NEWEST_GLIBC = '2.28'

/** Libraries of the system; the C++ library is linked statically. */
const LIBRARIES = {
  linux: /^(?:lib(?:c|m|dl|pthread)\.so(?:\.\d+)?|ld-linux-[\w-]+\.so\.\d)$/,
  darwin: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  win32: /^(?:kernel32\.dll|ntdll\.dll|advapi32\.dll|api-ms-win-[\w-]+\.dll)$/i,
} as const

/** Lists the problems of an addon for this system. */
export function problemsOf(bytes: Buffer, { os, cpu }: Target): string[] {
  let binary: Binary
  try {
    binary = readBinary(bytes)
  } catch (error) {
    return [(error as Error).message]
  }
  const problems: string[] = []
  if (binary.format !== formatFor(os))
    problems.push(`it must be ${formatFor(os)} for ${os}, got ${binary.format}`)
  if (binary.cpu !== cpu) problems.push(`it must be for ${cpu}, got ${binary.cpu}`)
  const foreign = binary.exports.filter(
    (name) => !ENTRY_POINTS.includes(name) && !(os === 'darwin' && OF_LINKER.includes(name)),
  )
  if (foreign.length > 0) problems.push(`it must export Node-API's entry points alone, got ${foreign.join(', ')}`) // biome-ignore format: one line
  if (!MARK.test(bytes.toString('latin1')))
    problems.push('it must hold the mark of an addon of heed')
  const missing = ENTRY_POINTS.filter((name) => !binary.exports.includes(name))
  if (missing.length > 0) problems.push(`it must export ${missing.join(' and ')}`)
  const lacking = instructionSets[cpu].map(([name]) => name).filter((name) => !bytes.includes(`${name}\0`)) // biome-ignore format: one line
  if (lacking.length > 0) problems.push(`it must have the instruction sets ${lacking.join(', ')}`)
  // Linkers take undefined symbols for Node's.
  const ours = binary.imports.filter((name) => name.startsWith('_ZN4heed'))
  if (ours.length > 0) problems.push(`it must have no undefined symbols of heed, got ${ours.join(', ')}`) // biome-ignore format: one line
  const strange = binary.needs.filter((name) => !LIBRARIES[os].test(name))
  if (strange.length > 0) problems.push(`it must need the system's libraries alone, got ${strange.join(', ')}`) // biome-ignore format: one line
  if (binary.glibc !== null && compareVersions(binary.glibc, NEWEST_GLIBC) > 0)
    problems.push(`it must load with glibc ${NEWEST_GLIBC}, needs ${binary.glibc}`)
  // Such a path would also make the bytes depend on the folder.
  if (bytes.includes(root)) problems.push(`it must hold no path of this machine, got ${root}`)
  return problems
}
