import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import { fileError } from '../io/files/file-error.ts'
import { type Answer, pipeline } from '../pipelines/index.ts'
import { HeedError } from '../util/errors.ts'
import { withLineFeeds } from '../util/line-feeds.ts'
import { type AdapterFlags, adaptedBy, addAdapterFlags } from './adapter-flags.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { positive } from './options.ts'
import { scoreLine } from './text.ts'

interface Flags extends AdapterFlags {
  context?: string
  file?: string
  top: number
  json?: boolean
}

export function answerCommand(): Command {
  const command = new Command('answer')
    .description('Find the answer to a question in a text; a short form of heed predict.')
    .argument('<model>', 'the folder of a question-answering model')
    .argument('<question>', 'the question')
    .option('--context <text>', 'the text')
    .option('--file <path>', 'a file with the text')
    .option('--top <number>', 'number of answers', positive, 1)
    .option('--json', 'print JSON')
    .action(answer)
  addAdapterFlags(command)
  return addExamples(
    command,
    'questions',
    ['npx heed answer runs/answers "Who went to sea?" --context "Ishmael went to sea."'],
    ['npx heed answer ./distilbert-squad "Who saw the whale?" --file chapter.txt --top 3'],
  )
}

async function answer(dir: string, question: string, flags: Flags): Promise<void> {
  const context = await contextOf(flags)
  const find = await pipeline('question-answering', dir, adaptedBy(flags))
  const result = (await find(question, context, { topK: flags.top })) as Answer | Answer[]
  const answers = Array.isArray(result) ? result : [result]
  if (flags.json) return console.log(JSON.stringify(result))
  for (const { answer, score, start, end } of answers) {
    const before = context.slice(Math.max(0, start - AROUND), start)
    const after = context.slice(end, end + AROUND)
    const around = `${pc.dim(before)}${pc.bold(answer)}${pc.dim(after)}`
    console.log(`${scoreLine(score)}  ${around.replace(/\s+/g, ' ')}`)
  }
}

/** Number of characters shown on each side of an answer. */
const AROUND = 40

async function contextOf({ context, file }: Flags): Promise<string> {
  if ((context === undefined) === (file === undefined))
    throw new HeedError(
      'invalid-option',
      `Exactly one of --context TEXT and --file PATH is required, got ${context === undefined ? 'neither' : 'both'}`,
    )
  if (file === undefined) return context as string
  const text = await readFile(file, 'utf8').catch((error) => {
    throw fileError(error, 'read', file)
  })
  return withLineFeeds(text)
}
