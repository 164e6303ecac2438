import { Command } from 'commander'
import { pushModel } from '../io/index.ts'
import { isTerminal, pc, stderrColors } from './colors.ts'
import { addExamples } from './examples.ts'
import { liveBlock } from './live.ts'
import { bar } from './text.ts'

interface Flags {
  branch: string
  message?: string
  public?: boolean
  include?: string[]
}

export function pushCommand(): Command {
  const command = new Command('push')
    .description('Upload a model folder to the Hugging Face hub as one commit.')
    .argument('<folder>', 'the folder of a run, or any model folder')
    .argument('<name>', 'owner/model; a missing repository is created, private unless --public')
    .option('--branch <name>', 'the branch to commit to', 'main')
    .option('--message <text>', 'the first line of the commit')
    .option('--public', 'create a missing repository as public')
    .option('--include <patterns...>', 'upload these files too')
    .addHelpText('after', DETAILS)
    .action(push)
  return addExamples(command, 'bookRun', ['npx heed push runs/book me/book --message "First run"'])
}

const DETAILS = `
Set HF_TOKEN to a token with write access, and HF_ENDPOINT for another hub.`

async function push(folder: string, name: string, flags: Flags): Promise<void> {
  const block = isTerminal(process.stderr) ? liveBlock(process.stderr) : undefined
  try {
    const { url, files } = await pushModel(folder, name, {
      ...flags,
      private: !flags.public,
      onProgress: ({ file, share, state }) =>
        block?.draw([`${stderrColors.cyan(bar(share, 30))} ${stderrColors.dim(state)} ${file}`]),
    })
    console.log(`${files.length} files: ${files.join(', ')}\n${pc.bold(url)}`)
  } finally {
    block?.close()
  }
}
