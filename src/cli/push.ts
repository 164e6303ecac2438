import { Command } from 'commander'
import pc from 'picocolors'
import { pushModel } from '../io/index.ts'
import { liveBlock } from './live.ts'
import { bar } from './text.ts'

interface Flags {
  branch: string
  message?: string
  public?: boolean
  include: string[]
}

export function pushCommand(): Command {
  return new Command('push')
    .description('Send a model folder to the Hugging Face hub, as one commit.')
    .argument('<folder>', 'a run, or any model folder')
    .argument('<name>', 'owner/model; it is made if there is none, private unless --public')
    .option('--branch <name>', 'the branch that takes the files', 'main')
    .option('--message <text>', 'the first line of the commit')
    .option('--public', 'if the repository has to be made: visible to everybody')
    .option('--include <patterns...>', 'send these files too', [])
    .addHelpText(
      'after',
      `
HF_TOKEN is to be a token with the right to write. HF_ENDPOINT names another hub.

Example:
  $ HF_TOKEN=hf_… heed push runs/moby-dick me/moby-dick`,
    )
    .action(push)
}

async function push(folder: string, name: string, flags: Flags): Promise<void> {
  const block = process.stderr.isTTY ? liveBlock(process.stderr) : undefined
  try {
    const { url, files } = await pushModel(folder, name, {
      ...flags,
      private: !flags.public,
      onProgress: ({ file, share, state }) =>
        block?.draw([`${pc.cyan(bar(share, 30))} ${pc.dim(state)} ${file}`]),
    })
    console.log(`${files.length} files: ${files.join(', ')}\n${pc.bold(url)}`)
  } finally {
    block?.close()
  }
}
