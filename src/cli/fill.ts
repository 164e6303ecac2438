import { Command } from 'commander'
import pc from 'picocolors'
import { type Filled, pipeline } from '../pipelines/index.ts'
import { positive } from './options.ts'
import { scoreLine } from './text.ts'

export function fillCommand(): Command {
  return new Command('fill')
    .description('Guess the masked words of a text (BERT and its like).')
    .argument('<model>', 'a model folder')
    .argument('<text>', 'with [MASK], or what the model calls it, for each word to guess')
    .option('--top <number>', 'how many guesses', positive, 5)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ heed fill ./bert-base-uncased "The capital of France is [MASK]."',
    )
    .action(fill)
}

async function fill(dir: string, text: string, flags: { top: number; json?: boolean }) {
  const guess = await pipeline('fill-mask', dir)
  const found = await guess(text, { topK: flags.top })
  if (flags.json) return console.log(JSON.stringify(found))
  const several = Array.isArray(found[0])
  const lists = (several ? found : [found]) as Filled[][]
  lists.forEach((list, i) => {
    if (several) console.log(pc.dim(`${i > 0 ? '\n' : ''}mask ${i + 1}`))
    for (const { score, token_str: token, sequence } of list)
      console.log(`${scoreLine(score)}  ${pc.bold(token)}${several ? '' : pc.dim(`  ${sequence}`)}`)
  })
}
