import { Command, Option } from 'commander'
import type { z } from 'zod'
import { readJsonObject } from '../io/files/json.ts'
import { readModelConfig } from '../models/index.ts'
import { currentTaskName } from '../models/task-names.ts'
import { optimizerDefinitions } from '../optim/index.ts'
import { commonSchema, parseTrainConfig, type TrainConfig, withChanges } from '../train/config.ts'
import { RunFolder } from '../train/run-folder.ts'
import type { Options, TaskDefinition } from '../train/task.ts'
import { taskDefinitions } from '../train/tasks/index.ts'
import { trainModel } from '../train/train-model.ts'
import { HeedError } from '../util/errors.ts'
import { flagOf, number } from './options.ts'
import { assignments, valueKind } from './schema-flags.ts'
import { trainView } from './train-view.ts'

/** Help shows the options of the task and of the optimiser that `argv` names. */
export function trainCommand(argv: readonly string[] = []): Command {
  const task = currentTaskName(argv[argv.indexOf('--task') + 1] ?? '')
  const asked = taskDefinitions().find(({ name }) => name === task)
  const optimizers = optimizerDefinitions()
  const optimizer =
    optimizers.find(({ name }) => name === argv[argv.indexOf('--optimizer') + 1]) ?? optimizers[0]
  const command = new Command('train')
    .description('Train a model on your own data; the run is a folder that transformers opens.')
    .argument('[model]', 'the architecture, as config.json names it: gpt2, bert, t5 …')
    .requiredOption('--out <folder>', 'where the run is kept')
    .option('--resume', 'go on from the newest checkpoint in --out')
    .option('--config <file>', 'a JSON file with the same keys (camelCase); flags go before it')
  for (const [key, schema] of Object.entries(commonSchema.shape))
    if (key !== 'model')
      for (const option of optionsOf(key, schema, { ...asked?.defaults, ...optimizer.defaults }))
        command.addOption(option)
  const chosen = Object.assign({}, optimizer.options.shape, asked?.options.shape)
  const all = [...optimizers, ...taskDefinitions()].map(({ options }) => options.shape)
  for (const [key, schema] of Object.entries<z.ZodType>(Object.assign({}, ...all, chosen)))
    for (const option of optionsOf(key, schema, asked?.defaults))
      command.addOption(option.hideHelp(!(key in chosen)))
  return command.addHelpText('after', () => help(asked)).action(train)
}

function help(chosen?: TaskDefinition): string {
  const width = Math.max(...taskDefinitions().map(({ name }) => name.length))
  const line = ({ name, about }: { name: string; about: string }): string =>
    `  ${name.padEnd(width)}  ${about}`
  const columns = chosen ? `\nData of ${chosen.name}: ${chosen.columns}\n` : ''
  return `
Tasks (--task NAME --help lists the options of each):
${taskDefinitions().map(line).join('\n')}

Optimisers (--optimizer NAME --help lists the options of each):
${optimizerDefinitions().map(line).join('\n')}
${columns}
Examples:
  $ heed train gpt2 --data book.txt --out runs/book
  $ heed train gpt2 --data texts/ --tokenizer bpe:4096 --layers 6 --heads 6 --dim 384 \\
      --context 256 --batch 8 --steps 5000 --dropout 0.1 --out runs/texts
  $ heed train bert --task fill-mask --data texts/ --out runs/bert
  $ heed train --from runs/bert --task text-classification --data mails.csv --out runs/spam
  $ heed train gpt2 --out runs/texts --resume`
}

type Flags = Record<string, unknown> & { out: string; resume?: boolean; config?: string }

async function train(model: string | undefined, flags: Flags): Promise<void> {
  const { out, resume = false, config: file, ...given } = flags
  if (model !== undefined) given.model = model
  const config = await configOf(out, resume, file, given)
  const stop = new AbortController()
  const view = trainView(config, out)
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort()
    view.note('Stopping after this step, then saving. Press Ctrl-C again to stop at once.')
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  try {
    const outcome = await trainModel({ config, out, resume, signal: stop.signal, on: view.on })
    view.finish(outcome)
  } finally {
    view.close()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}

/** Flags, then the file, then (when going on) what the run was started with, then defaults. */
async function configOf(
  out: string,
  resume: boolean,
  file: string | undefined,
  given: Record<string, unknown>,
): Promise<TrainConfig> {
  const written = file === undefined ? {} : await readJsonObject(file)
  const before = resume ? (await new RunFolder(out).latest())?.state.config : undefined
  const changes = { ...written, ...given }
  const raw: Record<string, unknown> = before ? { ...withChanges(before, changes) } : changes
  if (!('data' in raw))
    throw new HeedError('unknown-name', 'There is no data to train on', {
      remedy: 'Give files or folders with --data.',
    })
  if (raw.model === undefined) raw.model = await modelIn(raw.from)
  return parseTrainConfig(raw, file ?? 'the command line')
}

async function modelIn(from: unknown): Promise<string> {
  if (typeof from === 'string') return (await readModelConfig(from)).model_type
  throw new HeedError('unknown-name', 'There is no model to train', {
    remedy: 'Name an architecture, as in heed train gpt2, or a folder to go on from with --from.',
  })
}

function optionsOf(key: string, schema: z.ZodType, ofTask: Options = {}): Option[] {
  const fallback = Object.hasOwn(ofTask, key) ? ofTask[key] : schema.safeParse(undefined).data
  const shown = fallback != null && fallback !== false && typeof fallback !== 'object'
  const text = shown ? `${schema.description} (default: ${fallback})` : `${schema.description}`
  const flag = flagOf(key)
  const kind = valueKind(schema)
  if (kind === 'array') return [new Option(`${flag} <paths...>`, text)]
  if (kind === 'record') return [new Option(`${flag} <key=value...>`, text).argParser(assignments)]
  if (kind === 'number') return [new Option(`${flag} <number>`, text).argParser(number)]
  if (kind !== 'boolean') return [new Option(`${flag} <name>`, text)]
  const yes = new Option(flag, text)
  return fallback === false ? [yes] : [yes, new Option(flag.replace('--', '--no-'), 'not that')]
}
