// Reads the inputs of one reader in turn, as requested by the main process. It may hang or crash.
import { mkdirSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { HeedError } from '../../src/util/errors.ts'
import { hiddenIn } from './attempt.ts'
import { type FuzzReader, makeInput, packed, type Sample } from './input.ts'
import { readers } from './readers.ts'

export interface Problem {
  kind: 'exception' | 'memory' | 'prototype' | 'hang' | 'crash'
  message: string
  /** Findings at the same place are reported once. */
  place: string
}

export type Request =
  | { task: 'read'; reader: string; seed: number; from: number; milliseconds: number }
  | { task: 'replay'; reader: string; folder: string }

export type Reply =
  | { kind: 'problem'; index: number; problem: Problem }
  | { kind: 'done'; next: number; opened: number; slowest: number }

/** Bytes that an input may take, in addition to a multiple of its size. */
const MEMORY = 128e6
const MEMORY_PER_BYTE = 100

console.warn = () => {}
console.log = () => {}

const [folder, stateFile] = process.argv.slice(2)
const state = openSync(stateFile, 'r+')
let rejected: unknown
process.on('unhandledRejection', (reason) => {
  rejected = reason ?? new Error('rejected with undefined')
})
process.on('uncaughtException', (error) => {
  rejected = error
})
process.on('message', (request: Request) => {
  const work = request.task === 'read' ? readInputs(request) : replay(request)
  work.then(send, (error) => {
    console.error(error) // a bug of the fuzzer itself
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit())

const send = (reply: Reply): void => void process.send?.(reply)

/** Reports the number of the input, and whether it is being read, to the main process. */
function note(index: number, isReading: boolean): void {
  writeSync(state, new Float64Array([index, Number(isReading)]), 0, 16, 0)
}

async function readInputs({
  reader: name,
  seed,
  from,
  milliseconds,
}: Extract<Request, { task: 'read' }>): Promise<Reply> {
  const { reader, samples, folders } = prepared(name)
  const end = performance.now() + milliseconds
  let [index, opened, slowest] = [from, 0, 0]
  while (performance.now() < end || index === from) {
    const { sample, path, bytes } = makeInput(reader, samples, seed, index)
    const target = join(folders[sample], path)
    writeFileSync(target, bytes)
    note(index, true)
    const started = performance.now()
    const problem = await problemOf(() => reader.read(folders[sample]), bytes.length)
    slowest = Math.max(slowest, performance.now() - started)
    note(index, false)
    if (problem === undefined) opened++
    else if (problem) send({ kind: 'problem', index, problem })
    writeFileSync(target, packed(samples[sample].files[path]))
    index++
  }
  return { kind: 'done', next: index, opened, slowest }
}

/** Reads the input of a folder, after a valid input that loads what every input needs. */
async function replay({
  reader: name,
  folder: given,
}: Extract<Request, { task: 'replay' }>): Promise<Reply> {
  const { reader, folders } = prepared(name)
  for (const each of folders.slice(0, 4)) await problemOf(() => reader.read(each), 0)
  note(0, true)
  const started = performance.now()
  const problem = await problemOf(() => reader.read(given), sizeOf(given))
  note(0, false)
  if (problem) send({ kind: 'problem', index: 0, problem })
  const opened = problem === undefined ? 1 : 0
  return { kind: 'done', next: 1, opened, slowest: performance.now() - started }
}

function sizeOf(folder: string): number {
  const names = readdirSync(folder, { recursive: true }).map(String)
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

interface Prepared {
  reader: FuzzReader
  samples: readonly Sample[]
  /** With the files of each sample. */
  folders: readonly string[]
}

const ready = new Map<string, Prepared>()

function prepared(name: string): Prepared {
  const known = ready.get(name)
  if (known) return known
  const reader = readers.find((each) => each.name === name)
  if (!reader) throw new Error(`no reader is called ${name}`)
  const samples = reader.samples()
  const folders = samples.map(({ files }, i) => {
    const path = join(folder, `${name}-${i}`)
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), packed(content))
    }
    return path
  })
  const made = { reader, samples, folders }
  ready.set(name, made)
  return made
}

/** Finds the problem in reading an input; null if it is refused correctly, undefined if it opens. */
async function problemOf(
  read: () => Promise<unknown>,
  bytes: number,
): Promise<Problem | null | undefined> {
  const before = memory()
  let outcome: Problem | null | undefined
  try {
    await read()
  } catch (error) {
    const hidden = hiddenIn(error)
    if (hidden)
      outcome = exception(hidden, `hidden in "${String((error as Error).message).slice(0, 100)}": `) // biome-ignore format: one line
    else outcome = error instanceof HeedError ? null : exception(error)
  }
  await setImmediate() // unhandled rejections are reported here
  if (rejected !== undefined) {
    outcome = exception(rejected, 'not handled: ')
    rejected = undefined
  }
  const polluted = pollution()
  if (polluted) return { kind: 'prototype', message: polluted, place: 'prototype' }
  const taken = memory() - before
  if (outcome || taken <= MEMORY + MEMORY_PER_BYTE * bytes) return outcome
  const message = `${Math.round(taken / 1e6)} MB for ${bytes} bytes`
  return { kind: 'memory', message, place: 'memory' }
}

/** The peak memory of the process, and its memory outside of the heap. */
const memory = (): number =>
  process.resourceUsage().maxRSS * 1024 + getHeapStatistics().external_memory

function exception(error: unknown, prefix = ''): Problem {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const line = stack.split('\n').find((each) => /\/src\/|\/node_modules\//.test(each)) ?? ''
  const place =
    /((?:src|node_modules)\/[^)\s]+?):\d+\)?$/.exec(line.trim())?.[1] ?? text.slice(0, 60)
  return { kind: 'exception', message: prefix + text.slice(0, 300), place }
}

const PROTOTYPES: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
  Map.prototype,
  Uint8Array.prototype,
]
const keys = (prototype: object): string => Reflect.ownKeys(prototype).map(String).join()
const clean = PROTOTYPES.map(keys)

function pollution(): string | undefined {
  const at = PROTOTYPES.findIndex((prototype, i) => keys(prototype) !== clean[i])
  if (at < 0) return undefined
  const name = PROTOTYPES[at].constructor.name
  const added = keys(PROTOTYPES[at]).slice(clean[at].length, clean[at].length + 100)
  clean[at] = keys(PROTOTYPES[at])
  return `${name}.prototype has other keys: ${added}`
}
