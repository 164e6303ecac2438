// The examples at the end of each command's help. The lines of the last one work as printed, in an empty folder and in
// any shell: they create the files that they name. `node -e` writes files the same way in sh, cmd and PowerShell.
import type { Command } from 'commander'

/** Small text files and runs from which several examples start. */
const BOOK = [
  `node -e "fs.writeFileSync('book.txt', 'Call me Ishmael. Some years ago I went to sea. '.repeat(50))"`,
]
const MAILS = [
  `node -e "fs.writeFileSync('mails.csv', 'text,label\\n' + 'You won a prize,spam\\nSee you at noon,ham\\n'.repeat(50))"`,
]
const SIZE = '--layers 2 --heads 2 --dim 64 --context 32 --steps 100'

export const starts = {
  nothing: [],
  book: BOOK,
  mails: MAILS,
  bookRun: [...BOOK, `npx heed train gpt2 --data book.txt ${SIZE} --out runs/book`],
  mailsRun: [
    ...MAILS,
    `npx heed train bert --task text-classification --data mails.csv ${SIZE} --out runs/spam`,
  ],
  encoder: [
    ...BOOK,
    `npx heed train bert --task fill-mask --data book.txt ${SIZE} --out runs/words`,
  ],
  pairs: [
    `node -e "fs.writeFileSync('pairs.tsv', 'source\\ttarget\\n' + 'the cat\\tdie Katze\\nthe dog\\tder Hund\\n'.repeat(50))"`,
    `npx heed train marian --data pairs.tsv ${SIZE} --out runs/german`,
  ],
  chat: [
    `node -e "fs.writeFileSync('answers.csv', 'prompt,completion\\n' + 'Hello,Hi there\\nBye,See you\\n'.repeat(50))"`,
    `node -e "fs.writeFileSync('pairs.csv', 'prompt,chosen,rejected\\n' + 'Hello,Hi there,What?\\nBye,See you,No\\n'.repeat(50))"`,
    'npx heed train gpt2 --task chat --data answers.csv --layers 2 --heads 2 --dim 64 --steps 50 --out runs/sft',
  ],
  questions: [
    `node -e "fs.writeFileSync('questions.csv', 'question,context,answers\\n' + 'Who went to sea?,Ishmael went to sea.,Ishmael\\nWho stayed?,His wife stayed.,wife\\n'.repeat(50))"`,
    `npx heed train bert --task question-answering --data questions.csv ${SIZE} --out runs/answers`,
  ],
} as const satisfies Record<string, readonly string[]>

/** Title of the example that a test runs. */
export const COMPLETE = 'Complete example:'

/**
 * Adds examples to the help of a command. `others` show further flags, on files that the reader must have; `lines` follow
 * the lines of `start` and complete them.
 */
export function addExamples(
  command: Command,
  start: keyof typeof starts,
  lines: readonly string[],
  others: readonly string[] = [],
): Command {
  return command.addHelpText('after', exampleText(start, lines, others))
}

export function exampleText(
  start: keyof typeof starts,
  lines: readonly string[],
  others: readonly string[] = [],
): string {
  const block = (title: string, shown: readonly string[]): string =>
    `\n${title}\n${shown.map((line) => `  $ ${line}`).join('\n')}\n`
  const first = others.length > 0 ? block('Examples:', others) : ''
  return (first + block(COMPLETE, [...starts[start], ...lines])).trimEnd()
}
