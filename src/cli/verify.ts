import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Command } from 'commander'
import pc from 'picocolors'
import { checkpointProblems } from '../io/files/checkpoint.ts'
import { recordHashes } from '../io/files/hashes.ts'
import { checkFiles } from '../io/files/verify.ts'
import { HeedError } from '../util/errors.ts'

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check that the files of a run are as they were written.')
    .argument('<run>', 'the folder of a run')
    .option('--accept', 'accept the files as they are now, except for checkpoints')
    .addHelpText('after', '\nExample:\n  $ heed verify runs/book')
    .action(verify)
}

async function verify(run: string, { accept = false }: { accept?: boolean }): Promise<void> {
  const folders = [run, join(run, 'best')].filter((folder) => existsSync(folder))
  if (folders.length === 0)
    throw new HeedError('missing-file', `There is no folder ${run}`, {
      key: 'run',
      value: run,
      remedy: 'Check the path.',
    })
  let [checked, damaged] = [0, 0]
  const report = (name: string, problem: string | undefined): void => {
    checked++
    if (problem !== undefined) damaged++
    console.log(
      problem === undefined ? `${pc.green('✓')} ${name}` : `${pc.red('✗')} ${name}: ${problem}`,
    )
  }
  for (const folder of folders) {
    const files = await checkFiles(folder)
    if (files && accept) await recordHashes(folder, existing(folder, files))
    for (const { name, problem } of (accept && (await checkFiles(folder))) || (files ?? []))
      report(relative(run, join(folder, name)), problem)
  }
  for (const { path, problem, hashed } of await checkpointProblems(run))
    report(
      `${relative(run, path)}${hashed ? '' : ' (sizes only: it was written by an older version)'}`,
      problem,
    )
  if (damaged > 0)
    throw new HeedError(
      'corrupt-file',
      `${damaged} of ${checked} files and checkpoints of ${run} are damaged`,
      {
        remedy: 'Restore them from a copy. `resume` uses the newest intact checkpoint.',
      },
    )
  console.log(
    checked > 0 ? `All ${checked} are intact.` : `${run} has no checksums; nothing was checked.`,
  )
}

const existing = (folder: string, files: readonly { name: string }[]): string[] =>
  files.map(({ name }) => name).filter((name) => existsSync(join(folder, name)))
