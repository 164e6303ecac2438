import { Command, Option } from 'commander'
import type { z } from 'zod'
import { readJsonObject } from '../io/files/json.ts'
import { readModelConfig } from '../models/index.ts'
import { currentTaskName } from '../models/task-names.ts'
import { optimizerDefinitions } from '../optim/index.ts'
import { parseTrainConfig } from '../train/config.ts'
import { commonSchema, type TrainConfig } from '../train/config-schema.ts'
import { withChanges } from '../train/resumed-config.ts'
import { RunFolder } from '../train/run-folder.ts'
import type { Options, TaskDefinition } from '../train/task.ts'
import { taskDefinitions } from '../train/tasks/index.ts'
import { trainModel } from '../train/train-model.ts'
import { HeedError } from '../util/errors.ts'
import { continueWithoutOutput } from './closed-output.ts'
import { flagOf, number } from './options.ts'
import { withFlags } from './print-error.ts'
import { assignments, valueKind } from './schema-flags.ts'
import { trainView } from './train-view.ts'

/** The help shows the options of the task and of the optimizer that `argv` names. */
export function trainCommand(argv: readonly string[] = []): Command {
  const task = currentTaskName(argv[argv.indexOf('--task') + 1] ?? '')
  const asked = taskDefinitions().find(({ name }) => name === task)
  const optimizers = optimizerDefinitions()
  const optimizer =
    optimizers.find(({ name }) => name === argv[argv.indexOf('--optimizer') + 1]) ?? optimizers[0]
  const command = new Command('train')
    .description('Train a model on your own data. The run is a folder that transformers can open.')
    .argument('[model]', 'the architecture by its model_type: gpt2, bert, t5 …')
    .requiredOption('--out <folder>', 'the folder of the run')
    .option('--resume', 'resume from the newest checkpoint in --out')
    .option('--config <file>', 'a JSON file with the same keys in camelCase; flags override it')
  for (const [key, schema] of Object.entries(commonSchema.shape))
    if (key !== 'model')
      for (const option of optionsOf(key, schema, { ...asked?.defaults, ...optimizer.defaults }))
        command.addOption(option)
  const chosen = Object.assign({}, optimizer.options.shape, asked?.options.shape)
  const all = [...optimizers, ...taskDefinitions()].map(({ options }) => options.shape)
  for (const [key, schema] of Object.entries<z.ZodType>(Object.assign({}, ...all, chosen)))
    for (const option of optionsOf(key, schema, asked?.defaults))
      command.addOption(option.hideHelp(!(key in chosen)))
  for (const option of command.options)
    option.description = withFlags(option.description, command.options)
  return command.addHelpText('after', () => withFlags(help(asked), command.options)).action(train)
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

/** Windows has no SIGTERM; there Ctrl-Break sends SIGBREAK, and a closed console SIGHUP. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const

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
    view.note('Stopping and saving after this step. Press Ctrl-C again to stop immediately.')
  }
  // A closed terminal sends SIGHUP once or twice, and nothing can be printed any more.
  const hangUp = (): void => stop.abort()
  continueWithoutOutput()
  for (const signal of STOP_SIGNALS) process.on(signal, interrupt)
  process.on('SIGHUP', hangUp)
  try {
    const outcome = await trainModel({ config, out, resume, signal: stop.signal, on: view.on })
    view.finish(outcome)
  } finally {
    view.close()
    for (const signal of STOP_SIGNALS) process.off(signal, interrupt)
    process.off('SIGHUP', hangUp)
  }
}

/** The configuration by precedence: flags, the file, the configuration of a resumed run, defaults. */
async function configOf(
  out: string,
  resume: boolean,
  file: string | undefined,
  given: Record<string, unknown>,
): Promise<TrainConfig> {
  const written = file === undefined ? {} : await readJsonObject(file)
  const before = resume ? await configBefore(new RunFolder(out)) : undefined
  const changes = { ...written, ...given }
  const raw: Record<string, unknown> = before ? { ...withChanges(before, changes) } : changes
  if (!('data' in raw))
    throw new HeedError('invalid-option', '`data` is required', {
      key: 'data',
      remedy: 'Name files or folders with --data.',
    })
  if (raw.model === undefined) raw.model = await modelIn(raw.from)
  return parseTrainConfig(raw, file)
}

/** That of the newest checkpoint; without one, that with which the run was started. */
async function configBefore(run: RunFolder): Promise<TrainConfig | undefined> {
  return (await run.state())?.config ?? run.configuration()
}

async function modelIn(from: unknown): Promise<string> {
  if (typeof from === 'string') return (await readModelConfig(from)).model_type
  throw new HeedError('invalid-option', 'A model to train is required', {
    key: 'model',
    remedy: 'Name an architecture (heed train gpt2), or the folder of a model with --from.',
  })
}

/** The flags of a key; a boolean has a second one that switches it off, described by `off` in its metadata. */
function optionsOf(key: string, schema: z.ZodType, defaults: Options = {}): Option[] {
  const fallback = Object.hasOwn(defaults, key) ? defaults[key] : schema.safeParse(undefined).data
  const shown = fallback != null && fallback !== false && typeof fallback !== 'object'
  const text = shown ? `${schema.description} (default: ${fallback})` : `${schema.description}`
  const flag = flagOf(key)
  const kind = valueKind(schema)
  if (kind === 'array') return [new Option(`${flag} <paths...>`, text)]
  if (kind === 'record') return [new Option(`${flag} <key=value...>`, text).argParser(assignments)]
  if (kind === 'number') return [new Option(`${flag} <number>`, text).argParser(number)]
  if (kind !== 'boolean') return [new Option(`${flag} <name>`, text)]
  const off = schema.meta()?.off ?? `set ${key} to false`
  return [new Option(flag, text), new Option(flag.replace('--', '--no-'), String(off))]
}
