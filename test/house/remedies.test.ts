// A remedy that names values must work: every `try` in src has a case here, which applies each of its values.
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { HeedError } from '../../src/util/errors.ts'
import { sourceFiles } from '../support/source-files.ts'
import type { RemedyCase } from './remedies/case.ts'
import { cliCases } from './remedies/cli.ts'
import { dataCases } from './remedies/data.ts'
import { deviceCases } from './remedies/devices.ts'
import { engineCases } from './remedies/engine.ts'
import { generateCases } from './remedies/generate.ts'
import { modelCases } from './remedies/models.ts'
import { nameCases } from './remedies/names.ts'
import { tokenizerAndIoCases } from './remedies/tokenizers-and-io.ts'
import { trainCases } from './remedies/train.ts'

/** Add the cases of a new remedy to one of these, or another list here. */
const cases: RemedyCase[] = [
  ...nameCases,
  ...engineCases,
  ...deviceCases,
  ...tokenizerAndIoCases,
  ...dataCases,
  ...modelCases,
  ...generateCases,
  ...trainCases,
  ...cliCases,
]

describe.each(cases)('$site $about', ({ run }) => {
  it('fails, and works with each value of its remedy', async () => {
    const error: unknown = await Promise.resolve()
      .then(() => run({}))
      .catch((reason) => reason)
    if (!(error instanceof HeedError)) throw error ?? new Error('It did not fail.')
    const tries = Object.entries(error.details.try ?? {})
    expect(tries.flatMap(([, values]) => values).length).toBeGreaterThan(0)
    expect(error.remedy).toBeTruthy()
    for (const [key, values] of tries) for (const value of values) await run({ [key]: value })
  })
})

it('every remedy with values has a case', () => {
  const sites = sourceFiles().flatMap(({ path, text }) => sitesIn(path, text))
  expect(sites.length).toBeGreaterThan(5)
  expect([...new Set(sites)].sort()).toEqual([...new Set(cases.map(({ site }) => site))].sort())
})

it('finds `try` with the function around it', () => {
  const text = `
    export function a() { throw invalidOption({ key: 'x', try: { x: [1] } }) }
    const b = () => new E({ ...c, try: values })
    const check = rules({ x: { try: [1] } })
    class C { d() { if (x) return { try: {} } } }
    interface I { try?: string }
    try { f() } catch {}`
  expect(sitesIn('src/x.ts', text)).toEqual([
    'src/x.ts#a',
    'src/x.ts#b',
    'src/x.ts#check',
    'src/x.ts#C.d',
  ])
})

/** The functions and tables of a file with an object literal that has \`try\`. */
function sitesIn(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const sites: string[] = []
  const visit = (node: ts.Node): void => {
    const isTry = ts.isPropertyAssignment(node) && node.name.getText() === 'try'
    if (isTry) sites.push(`${path}#${functionAround(node)}`)
    node.forEachChild(visit)
  }
  visit(file)
  return sites
}

function functionAround(node: ts.Node): string {
  for (let at = node.parent; at; at = at.parent) {
    if (ts.isFunctionDeclaration(at)) return at.name?.text ?? 'default'
    const isFunction = ts.isVariableDeclaration(at) && at.initializer && ts.isArrowFunction(at.initializer) // biome-ignore format: one line
    if (ts.isVariableDeclaration(at) && (isFunction || ts.isSourceFile(at.parent.parent.parent)))
      return at.name.getText()
    if (ts.isMethodDeclaration(at) || ts.isConstructorDeclaration(at)) {
      const owner = ts.isClassDeclaration(at.parent) ? at.parent.name?.text : undefined
      return [owner, at.name?.getText() ?? 'constructor'].filter(Boolean).join('.')
    }
  }
  return ''
}
