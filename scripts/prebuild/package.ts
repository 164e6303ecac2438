import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../native/compile.mjs'
import { packageOf } from '../../src/runtime/cpu/addon-places.ts'
import type { Target } from '../../src/runtime/cpu/targets.ts'

const packages = join(root, 'build', 'packages')

/** The package of an addon: npm installs the one whose `os`, `cpu` and `libc` fit. Returns its folder. */
export function writePackage(target: Target, addon: string): string {
  const folder = join(packages, target.name)
  const { version, license, repository, homepage, bugs, engines } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  const name = packageOf(target)
  const manifest = {
    name,
    version,
    description: `The native addon of heed for ${target.name}.`,
    license,
    ...(repository && { repository, homepage, bugs }),
    engines,
    os: [target.os],
    cpu: [target.cpu],
    ...(target.libc && { libc: [target.libc] }),
    main: 'heed.node',
    files: ['heed.node'],
    preferUnplugged: true, // an addon must be a file of its own
  }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}\n\nThe native addon of [heed](https://www.npmjs.com/package/heed) for ${target.name}. Install \`heed\`, which brings it.\n`,
  )
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  copyFileSync(addon, join(folder, 'heed.node'))
  return folder
}
