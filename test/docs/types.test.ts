import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { allPages, blocksOf, root } from './page.ts'

const project = mkdtempSync(join(tmpdir(), 'heed-types-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

// A project as the installation page makes it, with the packages of this checkout.
for (const name of ['@types', '@stdlib', 'zod', 'undici-types']) {
  mkdirSync(join(project, 'node_modules'), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'dir')
}
symlinkSync(root, join(project, 'node_modules', 'heed'), 'dir')
writeFileSync(join(project, 'package.json'), '{ "type": "module" }')

const files = allPages().flatMap((path) =>
  blocksOf(readFileSync(join(root, path), 'utf8'))
    .filter(({ language }) => language === 'ts')
    .map(({ code, name, files }) => {
      const folder = join(project, path.replaceAll(/[^\w]/g, '-'))
      const file = join(folder, name)
      mkdirSync(folder, { recursive: true })
      writeFileSync(file, code)
      for (const path of files) copyFileSync(join(root, path), join(folder, basename(path)))
      return file
    }),
)

const resolutions = {
  bundler: { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  nodenext: { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
}

describe.skipIf(!existsSync(join(root, 'dist/index.d.ts')))('the TypeScript blocks', () => {
  it.each(Object.entries(resolutions))(
    'type-check in a fresh project with %s',
    (_, options) => {
      const program = ts.createProgram(files, {
        ...options,
        target: ts.ScriptTarget.ES2022,
        lib: ['lib.es2023.d.ts'],
        types: ['node'],
        strict: true,
        skipLibCheck: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        moduleDetection: ts.ModuleDetectionKind.Force,
        preserveSymlinks: true,
      })
      const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`) // biome-ignore format: one line
      expect(problems).toEqual([])
    },
    120_000,
  )
})
