import { Command } from 'commander'
import { type Filled, pipeline } from '../pipelines/index.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { scoreLine } from './text.ts'

export function fillCommand(): Command {
  const command = new Command('fill')
    .description('Fill in the masked words of a text; a short form of heed predict.')
    .argument('<model>', 'a model folder')
    .argument('<text>', 'the text, with [MASK] (or the mask token of the model) for each word')
    .option('--top <number>', 'number of guesses', positive, 5)
    .option('--json', 'print JSON')
    .action(fill)
  addAdapterFlags(command)
  return addExamples(
    command,
    'encoder',
    ['npx heed fill runs/words "Some [MASK] ago I went to sea."'],
    ['npx heed fill ./bert-base-uncased "The capital of France is [MASK]."'],
  )
}

interface Flags extends AdapterFlags {
  top: number
  json?: boolean
}

async function fill(dir: string, text: string, flags: Flags): Promise<void> {
  const guess = await pipeline('fill-mask', dir, adaptedBy(flags))
  const guesses = await guess(text, { topK: flags.top })
  if (flags.json) return console.log(JSON.stringify(guesses))
  const several = Array.isArray(guesses[0])
  const lists = (several ? guesses : [guesses]) as Filled[][]
  lists.forEach((list, i) => {
    if (several) console.log(pc.dim(`${i > 0 ? '\n' : ''}mask ${i + 1}`))
    for (const { score, token_str: token, sequence } of list)
      console.log(`${scoreLine(score)}  ${pc.bold(token)}${several ? '' : pc.dim(`  ${sequence}`)}`)
  })
}
