import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { Command } from 'commander'
import { checkpointProblems } from '../io/files/checkpoint.ts'
import { HASHES, recordHashes, storedHashes } from '../io/files/hashes.ts'
import { checkFiles } from '../io/files/verify.ts'
import { HeedError } from '../util/errors.ts'
import { shellWord } from '../util/shell.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('Verify the checksums of the files of a run.')
    .argument('<run>', 'the folder of a run')
    .option('--accept', 'record the current checksums of all files except checkpoints')
    .action(verify)
  return addExamples(command, 'bookRun', ['npx heed verify runs/book'])
}

async function verify(run: string, { accept = false }: { accept?: boolean }): Promise<void> {
  const folders = [run, join(run, 'best')].filter((folder) => existsSync(folder))
  if (![HASHES, 'config.json', 'checkpoints'].some((name) => existsSync(join(run, name))))
    throw noRun(run)
  const withoutHashes: string[] = []
  let [checked, damaged] = [0, 0]
  const report = (name: string, problem: string | undefined): void => {
    checked++
    if (problem !== undefined) damaged++
    console.log(
      problem === undefined ? `${pc.green('✓')} ${name}` : `${pc.red('✗')} ${name}: ${problem}`,
    )
  }
  for (const folder of folders) {
    if (accept) await recordHashes(folder, await filesToAccept(folder))
    const files = await checkFiles(folder)
    if (!files) withoutHashes.push(folder)
    for (const { name, problem } of files ?? []) report(relative(run, join(folder, name)), problem)
  }
  for (const { path, problem, hashed } of await checkpointProblems(run))
    report(
      `${relative(run, path)}${hashed ? '' : ' (sizes only: written by an older version of Heed)'}`,
      problem,
    )
  if (damaged > 0)
    throw new HeedError(
      'corrupt-file',
      `${damaged} of ${checked} files and checkpoints of ${run} are damaged`,
      {
        remedy: `Restore them from a copy, or continue from the newest intact checkpoint: heed train --resume --out ${shellWord(run)}`,
      },
    )
  if (checked > 0) console.log(`All ${checked} files and checkpoints are intact.`)
  if (withoutHashes.length > 0)
    console.log(
      `${withoutHashes.join(' and ')} ${withoutHashes.length > 1 ? 'have' : 'has'} no checksums, so these files were not checked. To record the current checksums: heed verify ${shellWord(run)} --accept`,
    )
}

/** The files with recorded checksums; in a folder of an older version, which has none, the files of model, tokenizer and run. */
async function filesToAccept(folder: string): Promise<string[]> {
  const listed = await storedHashes(folder)
  if (listed) return Object.keys(listed).filter((name) => existsSync(join(folder, name)))
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  if (names.includes('config.json')) return names.filter((name) => READ.test(name))
  throw noRun(folder)
}

function noRun(folder: string): HeedError {
  const stats = statSync(folder, { throwIfNoEntry: false })
  const got = !stats ? 'no folder' : stats.isDirectory() ? 'no config.json in it' : 'a file'
  return new HeedError(
    'missing-file',
    `${folder || "''"} must be the folder of a run or a model, got ${got}`,
    { key: 'run', value: folder, remedy: 'Name a folder with a config.json.' },
  )
}

const READ = /^(?!\.)(.*\.(json|safetensors|bin|txt|model|jinja)|metrics\.jsonl)$/
