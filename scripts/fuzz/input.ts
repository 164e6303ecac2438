// Samples, and the inputs that are derived from them.
import { Dice } from './dice.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateJson } from './mutate-json.ts'
import { mutateText } from './mutate-text.ts'

/** A file whose inner parts are changed while its checksums and sizes stay valid: for example, the pickle in a ZIP. */
export interface PackedFile {
  parts: Readonly<Record<string, Uint8Array>>
  pack(parts: Readonly<Record<string, Uint8Array>>): Uint8Array
}

export type SampleFile = Uint8Array | PackedFile

/** A valid input: a folder with these files, by relative path. */
export interface Sample {
  files: Readonly<Record<string, SampleFile>>
  /** The files to change. Default: all. */
  changed?: readonly string[]
  /** Whether the sample itself is refused: a hostile file, from which inputs are derived. */
  refused?: true
}

/** A reader of files, for the fuzzer. */
export interface FuzzReader {
  name: string
  samples(): Sample[]
  /** Reads everything. A HeedError is a valid result; any other error is a finding. */
  read(folder: string): Promise<unknown>
  /** Words that have a meaning in a text format. */
  words?: readonly string[]
}

/** The sample of an input, and its changed file. */
export interface FuzzInput {
  sample: number
  path: string
  bytes: Uint8Array
}

/** Input number `index` of a reader, which is always the same. */
export function makeInput(
  reader: FuzzReader,
  samples: readonly Sample[],
  seed: number,
  index: number,
): FuzzInput {
  const dice = new Dice(seed, reader.name, index)
  const at = dice.below(samples.length)
  const sample = samples[at]
  const path = dice.pick(sample.changed ?? Object.keys(sample.files))
  const file = sample.files[path]
  const other = otherFile(path, dice.pick(samples))
  const words = reader.words ?? []
  if (file instanceof Uint8Array || dice.chance(0.2))
    return { sample: at, path, bytes: mutated(packed(file), packed(other), words, dice) }
  const part = dice.pick(Object.keys(file.parts))
  const otherPart = other instanceof Uint8Array ? other : Object.values(other.parts)[0]
  const bytes = mutated(file.parts[part], otherPart, words, dice)
  return { sample: at, path, bytes: file.pack({ ...file.parts, [part]: bytes }) }
}

export const packed = (file: SampleFile): Uint8Array =>
  file instanceof Uint8Array ? file : file.pack(file.parts)

/** The same file of another sample, or a file with the same ending, or any file. */
function otherFile(path: string, { files }: Sample): SampleFile {
  const ending = path.slice(path.lastIndexOf('.'))
  const names = Object.keys(files)
  const name = names.find((n) => n === path) ?? names.find((n) => n.endsWith(ending)) ?? names[0]
  return files[name]
}

function mutated(
  bytes: Uint8Array,
  other: Uint8Array,
  words: readonly string[],
  dice: Dice,
): Uint8Array {
  let result = bytes
  for (let i = dice.size(4); i > 0; i--) {
    const text = textOf(result)
    if (text === undefined || dice.chance(0.2)) {
      result = mutateBytes(result, other, dice)
      continue
    }
    const json = jsonOf(text)
    const changed =
      json !== undefined && dice.chance(0.75)
        ? mutateJson(json, dice)
        : mutateText(text, textOf(other) ?? '', words, dice)
    result = new Uint8Array(Buffer.from(changed))
  }
  return result
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function jsonOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text) || isDeep(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Deeper values are not visited: they were created by an earlier change. */
function isDeep(text: string): boolean {
  let depth = 0
  for (const [part] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (part === '[' || part === '{') depth++
    else if (part === ']' || part === '}') depth--
    if (depth > 200) return true
  }
  return false
}
