// Each case runs in a process of its own, with the module bundled as it is in the package: Vitest itself has loaded
// a TypeScript loader.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'rolldown'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasLinks } from '../support/links.ts'

const source = (path: string): string =>
  fileURLToPath(new URL(`../../src/${path}`, import.meta.url))
const root = realpathSync(mkdtempSync(join(tmpdir(), 'heed-imports-')))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const packages = (copy: string): string => join(root, 'packages', copy)
let project = root
const at = (name: string): string => join(project, name)

/** Two installed copies of a package that exports the errors, as every entry of Heed does. */
beforeAll(async () => {
  for (const copy of ['ours', 'theirs']) {
    const folder = packages(copy)
    await build({
      input: { errors: source('util/errors.ts'), imports: source('util/imports.ts') },
      output: { dir: join(folder, 'dist'), format: 'esm' },
      platform: 'node',
      logLevel: 'silent',
    })
    const json = { name: 'heed', type: 'module', exports: './dist/errors.js' }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(json))
  }
})

const write = (name: string, text: string): string => {
  const path = at(name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return path
}

const install = (copy: string): void => {
  mkdirSync(at('node_modules'), { recursive: true })
  symlinkSync(packages(copy), at('node_modules/heed'))
}

let projects = 0
beforeEach(() => {
  project = join(root, `project-${projects++}`)
  write('package.json', JSON.stringify({ type: 'module' }))
})

interface Result {
  loaded: { name: string; url: string }[]
  errors: { code: string; message: string; remedy?: string; key?: string }[]
}

/** What loading the files gives in a new process of this Node. */
async function load(...names: string[]): Promise<Result> {
  const script = write(
    'load.mjs',
    `import { importedModules, loadImports } from ${JSON.stringify(pathToFileURL(join(packages('ours'), 'dist/imports.js')).href)}
const errors = []
for (const name of ${JSON.stringify(names)})
  await loadImports([name]).catch(({ code, message, remedy, details }) =>
    errors.push({ code, message, remedy, key: details?.key }))
process.stdout.write(JSON.stringify({ loaded: importedModules(), errors, order: globalThis.order }))`,
  )
  const environment = { ...process.env, NODE_OPTIONS: '' }
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    cwd: dirname(script),
    env: environment,
  })
  return JSON.parse(stdout) as Result
}

async function failure(name: string) {
  const { loaded, errors } = await load(name)
  expect(loaded).toEqual([])
  expect(errors).toHaveLength(1)
  return errors[0]
}

const stripsTypes = Boolean((process.features as { typescript?: unknown }).typescript)
const enumeration = 'enum Size { Small = 3 }\nexport const size: Size = Size.Small\n'

describe('imported modules', () => {
  it('are loaded in order, once, and listed with their names', async () => {
    for (const name of ['a.js', 'b.mjs'])
      write(name, `globalThis.order = [...(globalThis.order ?? []), '${name}']`)
    const result = await load('./b.mjs', 'a.js', './a.js', pathToFileURL(at('b.mjs')).href)
    expect(result.errors).toEqual([])
    expect(result).toMatchObject({ order: ['b.mjs', 'a.js'] })
    expect(result.loaded).toEqual([
      { name: './b.mjs', url: pathToFileURL(at('b.mjs')).href },
      { name: 'a.js', url: pathToFileURL(at('a.js')).href },
    ])
  })

  it.skipIf(!hasLinks)('share the running copy of Heed', async () => {
    install('ours')
    write(
      'uses.mjs',
      "import { HeedError } from 'heed'\nexport const error = new HeedError('shape', '')",
    )
    expect((await load('./uses.mjs')).errors).toEqual([])
  })

  it('must exist', async () => {
    expect(await failure('./nothing.js')).toEqual({
      code: 'missing-file',
      message: expect.stringContaining('got ./nothing.js'),
      remedy: expect.stringContaining(at('nothing.js')),
      key: 'import',
    })
  })

  it('must be modules', async () => {
    write('model.json', '{}')
    const { code, remedy } = await failure('./model.json')
    expect(code).toBe('invalid-option')
    expect(remedy).toContain('.js, .mjs, .ts or .mts')
  })

  it('that throw are named with the line', async () => {
    write('throws.mjs', "const size = 3\nthrow new RangeError('size is ' + size)")
    const { code, message } = await failure('./throws.mjs')
    expect(code).toBe('invalid-option')
    expect(message).toMatch(/^\.\/throws\.mjs .*RangeError: size is 3 \(line 2\)/)
  })

  it('may throw anything', async () => {
    write('throws.mjs', "throw 'a text'")
    expect((await failure('./throws.mjs')).message).toContain('a text')
    write('null.mjs', 'throw null')
    expect((await failure('./null.mjs')).code).toBe('invalid-option')
  })

  it.skipIf(!hasLinks)('that Heed refuses keep the code and the remedy', async () => {
    install('ours')
    write(
      'refused.mjs',
      `import { HeedError } from 'heed'
throw new HeedError('already-exists', 'The name must be free', { key: 'model', remedy: 'Choose another.' })`,
    )
    expect(await failure('./refused.mjs')).toEqual({
      code: 'already-exists',
      message: './refused.mjs: The name must be free',
      remedy: 'Choose another.',
      key: 'model',
    })
  })

  it('that need a package which is missing say so', async () => {
    write('missing.mjs', "import 'heed'")
    const { message, remedy } = await failure('./missing.mjs')
    expect(message).toContain("Cannot find package 'heed'")
    expect(remedy).toContain('install heed')
  })

  it.skipIf(!hasLinks)('must use the running copy of Heed', async () => {
    install('theirs')
    const remedy = 'Start the Heed that the file imports: run npx heed in its project.'
    write('second.mjs', "import 'heed'")
    const error = await failure('./second.mjs')
    expect(error).toMatchObject({ code: 'unsupported', remedy })
    expect(error.message).toContain(join(packages('ours'), 'dist'))
    expect(error.message).toContain(join(packages('theirs'), 'dist'))
    // Also where the file fails because of it.
    write('throws.mjs', "import 'heed'\nthrow new Error('not registered')")
    expect(await failure('./throws.mjs')).toMatchObject({ code: 'unsupported', remedy })
  })
})

describe('TypeScript modules', () => {
  it.runIf(stripsTypes)('are loaded by Node where it strips types', async () => {
    write('typed.ts', 'export const size: number = 3')
    expect((await load('./typed.ts')).errors).toEqual([])
  })

  it.runIf(stripsTypes)('that stripping cannot handle are refused', async () => {
    write('enumeration.ts', enumeration)
    const { code, message, remedy } = await failure('./enumeration.ts')
    expect(code).toBe('unsupported')
    expect(message).toContain('./enumeration.ts')
    expect(remedy).toContain('NODE_OPTIONS="--import tsx"')
  })

  it.skipIf(stripsTypes)('need a loader elsewhere', async () => {
    write('typed.ts', 'export const size: number = 3')
    const { code, message, remedy } = await failure('./typed.ts')
    expect(code).toBe('unsupported')
    expect(message).toMatch(/TypeScript.*, got \.\/typed\.ts/)
    expect(remedy).toContain('npm install --save-dev tsx')
  })

  it.skipIf(stripsTypes)('are loaded by a loader of the project', async () => {
    const hooks = new URL('../../scripts/typescript/hooks.mjs', import.meta.url).href
    write('node_modules/tsx/package.json', JSON.stringify({ exports: { './esm': './esm.mjs' } }))
    write('node_modules/tsx/esm.mjs', `export { load } from '${hooks}'`)
    write('enumeration.ts', enumeration)
    write(
      'typed.ts',
      "import { size } from './enumeration.ts'\nexport const twice: number = size * 2",
    )
    expect(await load('./typed.ts', './enumeration.ts')).toMatchObject({
      errors: [],
      loaded: [{ name: './typed.ts' }, { name: './enumeration.ts' }],
    })
  })
})
