// README's example in a project in which the packages that `npm run prebuild` has staged are installed.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs' // biome-ignore format: one line
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '../../native/compile.mjs'
import { packageOf } from '../../src/runtime/cpu/addon-places.ts'
import type { Target } from '../../src/runtime/cpu/targets.ts'
import { SCOPE } from '../../src/util/package-folder.ts'
import { packages } from '../prebuild/package.ts'
import type { Started } from './other-node.ts'

/** Prints what fails and the totals; returns the exit status. */
export function checkInstallation(node: Started, target: Target): number {
  const project = mkdtempSync(join(tmpdir(), 'heed-installed-'))
  try {
    install(project, target)
    const failures = [addonIsFound(node, project), exampleRuns(node, project)].flat()
    for (const failure of failures) console.log(failure)
    console.log(`${2 - failures.length} passed, ${failures.length} failed`)
    return failures.length > 0 ? 1 : 0
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

/** As a package manager would, with dependencies from this checkout. */
function install(project: string, target: Target): void {
  const modules = join(project, 'node_modules')
  for (const [name, staged] of [
    ['heed', 'heed'],
    [`${SCOPE}/wasm`, 'wasm'],
    [packageOf(target), target.name],
  ]) {
    const from = join(packages, staged)
    if (!existsSync(from)) throw new Error(`${from} is missing: npm run prebuild -- --only ${target.name}`) // biome-ignore format: one line
    cpSync(from, join(modules, name), { recursive: true })
  }
  const manifest = JSON.parse(readFileSync(join(modules, 'heed', 'package.json'), 'utf8'))
  for (const name of Object.keys(manifest.dependencies)) {
    if (existsSync(join(modules, name))) continue
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  cpSync(join(root, 'examples', 'readme.ts'), join(project, 'example.js'))
}

function addonIsFound(node: Started, project: string): string[] {
  const out = run(node, project, join('node_modules', 'heed', 'bin', 'heed.js'), 'doctor')
  const isFound = /native kernels: \w+/.test(out) && out.includes('prebuilt addon')
  return isFound ? [] : [`heed doctor does not name the prebuilt addon:\n${out}`]
}

function exampleRuns(node: Started, project: string): string[] {
  const out = run(node, project, 'example.js')
  const [, text] = /^const text = '(.*)'$/m.exec(readFileSync(join(project, 'example.js'), 'utf8')) ?? [] // biome-ignore format: one line
  return out === `${text}\n` ? [] : [`README's example must print its text, got:\n${out}`]
}

function run(node: Started, cwd: string, ...args: string[]): string {
  const { HEED_ADDON: _, ...env } = node.env
  const { stdout, stderr } = spawnSync(node.path, args, { cwd, env, encoding: 'utf8' })
  return stdout + stderr
}
