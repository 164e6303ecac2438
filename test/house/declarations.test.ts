// What the published declarations show of the engine: no member that is marked @internal.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import config from '../../tsdown.config.ts'

const root = resolve(import.meta.dirname, '../..')

/** The options with which tsdown emits, of those that change what is emitted. */
const published = (config as { dts: false | { compilerOptions: ts.CompilerOptions } }[]).flatMap(
  ({ dts }) => (dts ? [dts.compilerOptions] : []),
)[0]

function declarationsOf(file: string, options: ts.CompilerOptions): string {
  const path = resolve(root, 'tsconfig.json')
  const { compilerOptions } = ts.readConfigFile(path, ts.sys.readFile).config
  const converted = ts.convertCompilerOptionsFromJson(compilerOptions, root).options
  // One file by itself: members have their types written out, so others need not be loaded.
  const alone = { noResolve: true, noLib: true, types: [], noCheck: true }
  const emit = { ...alone, noEmit: false, declaration: true, emitDeclarationOnly: true }
  const program = ts.createProgram([resolve(root, file)], { ...converted, ...emit, ...options })
  let out = ''
  program.emit(program.getSourceFile(resolve(root, file)), (_, text) => {
    out = text
  })
  return out
}

/** The names of members whose comment says @internal: `moveTo`, `gradRoots` … */
function internalMembers(file: string): string[] {
  const text = readFileSync(resolve(root, file), 'utf8')
  return [...text.matchAll(/@internal \*\/\n {2}(\w+)/g)].map(([, name]) => name)
}

it('hides internal members of tensors', () => {
  const names = internalMembers('src/tensor/core.ts')
  expect(names.sort()).toEqual(['becomeState', 'gradRoots', 'lift', 'moveTo', 'node'])
  const shown = (text: string): string[] =>
    names.filter((name) => new RegExp(`^ {4}${name}[(:]`, 'm').test(text))
  const of = (options: ts.CompilerOptions): string => declarationsOf('src/tensor/core.ts', options)
  expect(shown(of({ stripInternal: false }))).toEqual(names) // the pattern finds them where they are
  expect(shown(of(published))).toEqual([])
  expect(of(published)).toContain('backward(gradient?: Tensor): void')
})
