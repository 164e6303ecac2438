// Data from Debian's packages, for the examples that use them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'

/** Unpacks packages into `folder`. @throws Error that says what to do where that cannot be */
export function fetchDebianPackages(folder: string, packages: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  const run = (command: string, args: string[]): void => {
    const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'ignore' })
    if (status === 0) return
    throw new Error(
      `'${command} ${args.join(' ')}' failed (${error?.message ?? `code ${status}`}). This example reads ` +
        `Debian's ${packages.join(' and ')}: unpack it all (dpkg -x) into one folder, and name that: --data FOLDER`,
    )
  }
  run('apt-get', ['download', ...packages])
  for (const file of readdirSync(folder)) if (file.endsWith('.deb')) run('dpkg', ['-x', file, '.'])
}
