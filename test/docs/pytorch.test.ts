// "Coming from PyTorch": the Heed code of each row gives the value of the PyTorch code, which
// scripts/fixtures/pytorch_table.py has computed; it type-checks, and the page is that of the table.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sections } from '../../docs/coming-from/pytorch.ts'
import { heedProgram, pageText } from '../../scripts/pytorch-table/page.ts'
import { exists, importsFor, valuesOf, withReturn } from '../../scripts/pytorch-table/snippets.ts'
import { Tensor } from '../../src/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixture: { values: Record<string, unknown> } = JSON.parse(
  readFileSync(join(root, 'test/fixtures/pytorch-table.json'), 'utf8'),
)
const rows = sections.flatMap((section) => section.rows.map((row) => ({ section, row })))

const before = process.cwd()
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heed-pytorch-'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

describe.each(sections)('$title', (section) => {
  test.each(section.rows)('$torch', async (row) => {
    const value = await plain(await run(heedProgram(section, row)))
    const expected = row.expected === undefined ? fixture.values[row.torch] : row.expected
    expect(expected).toBeDefined()
    expectClose(value, expected, row.tolerance ?? 1e-5)
    for (const name of row.absent ?? []) expect(exists(name), name).toBe(false)
  })
})

test('a wrong row fails', async () => {
  const [section] = sections
  const wrong = { torch: 'torch.zeros(2, 3)', heed: 'ones([2, 3])' }
  const value = await plain(await run(heedProgram(section, wrong)))
  expect(() => expectClose(value, [[0, 0, 0], [0, 0, 0]], 1e-5)).toThrow() // biome-ignore format: one line
  expectClose(value, [[1, 1, 1], [1, 1, 1]], 1e-5) // biome-ignore format: one line
})

test('there are at least 170 rows, and none twice', () => {
  expect(rows.length).toBeGreaterThanOrEqual(170)
  expect(new Set(rows.map(({ row }) => row.torch)).size).toBe(rows.length)
})

test('the names that notes list exist', () => {
  const notes = rows.flatMap(({ row }) => (row.note?.startsWith('Also `') ? [row.note] : []))
  const names = notes.flatMap((note) => [...note.matchAll(/`(\w+)`/g)].map(([, name]) => name))
  expect(names.length).toBeGreaterThan(20)
  expect(names.filter((name) => !exists(name))).toEqual([])
})

test('PyTorch has run every row', () => {
  const run = rows.filter(({ row }) => row.expected === undefined).map(({ row }) => row.torch)
  expect(Object.keys(fixture.values).sort()).toEqual(run.sort())
})

test('pytorch.md is generated from the table', () => {
  const page = readFileSync(join(root, 'docs/coming-from/pytorch.md'), 'utf8')
  expect(page, 'Run `npm run generate:pytorch`').toBe(pageText(page))
})

test('the Heed code type-checks', () => {
  const functions = rows.map(({ section, row }, index) => `async function row${index}() {\n${heedProgram(section, row)}\n}`) // biome-ignore format: one line
  const code = functions.join('\n')
  expect(typeErrors(`${importsFor(code).join('\n')}\n${code}`)).toEqual([])
}, 180_000)

async function run(code: string): Promise<unknown> {
  const names = valuesOf(code)
  const { outputText } = ts.transpileModule(`async function row() {\n${withReturn(code)}\n}`, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  const make = new Function(...Object.keys(names), `${outputText}\nreturn row`)
  return make(...Object.values(names))()
}

/** As in pytorch_table.py: tensors as nested lists, objects as lists of their values. */
async function plain(value: unknown): Promise<unknown> {
  if (value instanceof Tensor) return plain(await value.tolist())
  if (ArrayBuffer.isView(value)) return plain(Array.from(value as Float32Array))
  if (Array.isArray(value)) return Promise.all(value.map(plain))
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value === undefined || value === null) return null
  if (typeof value === 'object') return plain(Object.values(value))
  return value
}

function expectClose(value: unknown, expected: unknown, tolerance: number): void {
  const isClose = (a: unknown, b: unknown): boolean => {
    if (Array.isArray(a) && Array.isArray(b))
      return a.length === b.length && a.every((item, i) => isClose(item, b[i]))
    if (typeof a === 'number' && typeof b === 'number')
      return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))
    return a === b
  }
  if (!isClose(value, expected)) expect(value).toEqual(expected)
}

/** The errors of TypeScript in this code, checked against the types of the sources. */
function typeErrors(code: string): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const file = join(root, 'test/docs/rows.ts')
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, code, ts.ScriptTarget.Latest, true)
      : getSourceFile.call(host, name, ...rest)
  host.fileExists = (name) => name === file || fileExists.call(host, name)
  const unused = { noUnusedLocals: false, noUnusedParameters: false }
  const program = ts.createProgram([file], { ...options, ...unused }, host)
  const source = program.getSourceFile(file)
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)] // biome-ignore format: one line
  return found.map(({ messageText, start = 0 }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n')
    return `${text}: ${code.slice(start, start + 60)}`
  })
}
