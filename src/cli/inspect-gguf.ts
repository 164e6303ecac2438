import { type GGUFFile, openGGUF, showValue } from '../io/gguf/gguf.ts'
import { formatBytes } from '../util/format.ts'
import { pc } from './colors.ts'
import { short } from './text.ts'

/** Prints the metadata of a GGUF file, and its tensors by type. */
export async function inspectGGUF(path: string, { all = false } = {}): Promise<void> {
  const file = await openGGUF(path)
  try {
    const architecture = file.metadata.string('general.architecture', 'no architecture')
    console.log(`${pc.bold(architecture)}  ${path}  ${pc.dim(`GGUF version ${file.version}`)}\n`)
    for (const [key, value] of file.metadata.entries)
      console.log(`${pc.dim(key)} ${cut(showValue(value))}`)
    const parameters = file.names.reduce((n, name) => n + sizeOf(file, name), 0)
    console.log(
      `\n${pc.bold(short(parameters))} parameters (${parameters}) in ${file.names.length} tensors`,
    )
    for (const line of byType(file)) console.log(line)
    if (all) console.log(`\n${file.names.map((name) => tensorLine(file, name)).join('\n')}`)
  } finally {
    await file.close()
  }
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 97)}...` : text)

const sizeOf = (file: GGUFFile, name: string): number =>
  file.info(name).shape.reduce((n, size) => n * size, 1)

function byType(file: GGUFFile): string[] {
  const sums = new Map<string, { size: number; bytes: number; count: number }>()
  for (const name of file.names) {
    const { type, bytes } = file.info(name)
    const sum = sums.get(type) ?? { size: 0, bytes: 0, count: 0 }
    sums.set(type, {
      size: sum.size + sizeOf(file, name),
      bytes: sum.bytes + bytes,
      count: sum.count + 1,
    })
  }
  return [...sums].map(
    ([type, { size, bytes, count }]) =>
      `${type.padEnd(8)} ${short(size).padStart(8)} in ${formatBytes(bytes)}, ${count} tensors`,
  )
}

function tensorLine(file: GGUFFile, name: string): string {
  const { type, shape } = file.info(name)
  const size = String(sizeOf(file, name)).padStart(12)
  return `${size}  ${type.padEnd(5)} (${shape.join(', ')})  ${name}`
}
