import { Command } from 'commander'
import type { z } from 'zod'
import { modelTypes } from '../models/index.ts'
import { distillSchema } from '../train/distill/options.ts'
import { HeedError, invalidOption } from '../util/errors.ts'
import { exampleText } from './examples.ts'
import { withFlags } from './print-error.ts'
import { addTrainFlags, askedTask, type Flags, optionsOf, train } from './train.ts'

/** The help shows the options of the task and optimizer named in `argv`. */
export function distillCommand(argv: readonly string[] = []): Command {
  const command = new Command('distill')
    .description('Train a small model on the outputs of a large one.')
    .argument(
      '[student]',
      'folder of a model, every:N for every n-th layer of the teacher, or an architecture',
    )
  for (const [key, schema] of Object.entries<z.ZodType>(distillSchema.shape))
    if (key !== 'every') for (const option of optionsOf(key, schema)) command.addOption(option)
  return addTrainFlags(command, askedTask(argv), argv)
    .addHelpText('after', () => withFlags(help(), command.options))
    .action((student: string | undefined, flags: Flags) => distill(student, flags))
}

const help = (): string =>
  `\nThe options of heed train apply, too: those of tasks and optimizers.\n${exampleText('mailsRun', COMPLETE_LINES, OTHER_EXAMPLES)}`

const COMPLETE_LINES = [
  'npx heed distill every:2 --teacher runs/spam --task text-classification --data mails.csv --steps 20 --out runs/small',
  'npx heed eval runs/small --data mails.csv',
]

const OTHER_EXAMPLES = [
  'npx heed distill runs/small --teacher runs/large --data texts/ --divergence js --on-policy 0.5 --out runs/gkd',
  'npx heed distill every:2 --teacher runs/bert --task fill-mask --data texts/ --cosine-weight 1 --out runs/distilled',
]

async function distill(student: string | undefined, flags: Flags): Promise<void> {
  const { teacher, resume = false, config } = flags
  if (teacher === undefined && !resume && config === undefined)
    throw new HeedError('invalid-option', '`teacher` is required', {
      key: 'teacher',
      remedy: 'Name the folder of a model that is trained for the task.',
    })
  await train(undefined, { ...flags, ...studentKeys(student, teacher) })
}

/** The configuration keys of a student. */
export function studentKeys(
  student: string | undefined,
  teacher: unknown,
): Record<string, unknown> {
  if (student === undefined) return {}
  const [, every] = /^every:(\d+)$/.exec(student) ?? []
  if (every !== undefined) return { from: teacher, every: Number(every) }
  if (student.startsWith('every:'))
    throw invalidOption({
      key: 'student',
      value: student,
      expected: 'every:N with a whole number',
      try: { student: ['every:2'] },
    })
  return modelTypes().includes(student) ? { model: student } : { from: student }
}
