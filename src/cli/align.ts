import { Command } from 'commander'
import type { TaskDefinition } from '../train/task.ts'
import { taskDefinitions } from '../train/tasks/index.ts'
import { invalidOption } from '../util/errors.ts'
import { unknownName } from '../util/registry.ts'
import { exampleText } from './examples.ts'
import { withFlags } from './print-error.ts'
import { addTrainFlags, type Flags, train } from './train.ts'

/** Training on preferences and rewards: `heed train` for the tasks that do so, with the method as its argument. */
export function alignCommand(argv: readonly string[] = []): Command {
  const methods = taskDefinitions().filter(({ isAlignment }) => isAlignment)
  const asked = methods.find(({ name }) => argv.includes(name))
  const command = new Command('align')
    .description('Align a model with preferences or rewards.')
    .argument('<method>', methods.map(({ name }) => name).join(', '))
  addTrainFlags(command, asked, argv)
  for (const option of command.options) if (option.attributeName() === 'task') option.hideHelp()
  return command
    .addHelpText('after', () => withFlags(help(methods, asked), command.options))
    .action((method: string, flags: Flags) => {
      const names = methods.map(({ name }) => name)
      if (!names.includes(method)) throw unknownName('method', method, names)
      const { task = method } = flags
      if (task !== method)
        throw invalidOption({
          key: 'task',
          value: task,
          expected: `omitted, because the method is the task (${method})`,
        })
      return train(undefined, { ...flags, task: method })
    })
}

function help(methods: readonly TaskDefinition[], asked: TaskDefinition | undefined): string {
  const width = Math.max(...methods.map(({ name }) => name.length))
  const lines = methods.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`)
  const columns = asked ? `\nData of ${asked.name}: ${asked.columns}\n` : ''
  return `
Methods (METHOD --help lists the options of each):
${lines.join('\n')}
${columns}${exampleText('chat', COMPLETE_LINES, OTHER_EXAMPLES)}`
}

const COMPLETE_LINES = [
  'npx heed align dpo --from runs/sft --data pairs.csv --steps 4 --out runs/dpo',
  'npx heed align reward --from runs/sft --data pairs.csv --steps 4 --out runs/reward',
]

const OTHER_EXAMPLES = [
  'npx heed align dpo --from ./smollm2 --adapter lora --data pairs.jsonl --beta 0.3 --out runs/dpo',
  'npx heed align grpo --from runs/sft --data sums.jsonl --reward number --answers 8 --out runs/grpo',
  'npx heed align rloo --from runs/sft --data prompts.jsonl --reward runs/reward --out runs/rloo',
  'npx heed align ppo --from runs/sft --data prompts.jsonl --reward runs/reward --out runs/ppo',
  'npx heed align kto --from runs/sft --data judged.jsonl --out runs/kto',
]
