import { Command, Option } from 'commander'
import type { z } from 'zod'
import { readJsonObject } from '../io/files/json.ts'
import {
  type Head,
  type ModelDefinition,
  modelDefinition,
  modelTypes,
  readModelConfig,
} from '../models/index.ts'
import { currentTaskName, taskHeads } from '../models/task-names.ts'
import { optimizerDefinitions } from '../optim/index.ts'
import { parseTrainConfig, startDefaults } from '../train/config.ts'
import { commonSchema, type TrainConfig } from '../train/config-schema.ts'
import { withChanges } from '../train/resumed-config.ts'
import { RunFolder } from '../train/run-folder.ts'
import type { Options, TaskDefinition } from '../train/task.ts'
import { taskDefinitions } from '../train/tasks/index.ts'
import { trainModel } from '../train/train-model.ts'
import { HeedError } from '../util/errors.ts'
import { flagOf } from '../util/flag-of.ts'
import { continueWithoutOutput } from './closed-output.ts'
import { exampleText } from './examples.ts'
import { number } from './options.ts'
import { modelFor } from './other-names.ts'
import { withFlags } from './print-error.ts'
import { assignments, valueKind } from './schema-flags.ts'
import { trainView } from './train-view.ts'

/** The help shows the options of the task and optimizer named in `argv`. */
export function trainCommand(argv: readonly string[] = []): Command {
  const asked = askedTask(argv)
  const command = new Command('train')
    .description('Train or fine-tune a model on your own data.')
    .argument('[model]', 'architecture: a model_type from the list below')
  return addTrainFlags(command, asked, argv)
    .addHelpText('after', () => withFlags(help(asked), command.options))
    .action(train)
}

/** The task that `argv` names with --task. */
export function askedTask(argv: readonly string[]): TaskDefinition | undefined {
  const task = currentTaskName(argv[argv.indexOf('--task') + 1] ?? '')
  return taskDefinitions().find(({ name }) => name === task)
}

/** Adds the flags of a training run to a command. The help shows those of `asked`. */
export function addTrainFlags(
  command: Command,
  asked: TaskDefinition | undefined,
  argv: readonly string[],
): Command {
  const optimizers = optimizerDefinitions()
  const optimizer =
    optimizers.find(({ name }) => name === argv[argv.indexOf('--optimizer') + 1]) ?? optimizers[0]
  const start = startDefaults(asked)
  command
    .requiredOption('--out <folder>', 'folder of the run, which transformers can open')
    .option('--resume', 'resume from the newest checkpoint in --out')
    .option('--config <file>', 'JSON file with the same keys in camelCase; flags override it')
  for (const [key, schema] of Object.entries(commonSchema.shape))
    if (key !== 'model')
      for (const option of optionsOf(
        key,
        schema,
        { ...asked?.defaults, ...optimizer.defaults },
        start,
      ))
        command.addOption(option)
  const chosen = Object.assign({}, optimizer.options.shape, asked?.options.shape)
  const all = [...optimizers, ...taskDefinitions()].map(({ options }) => options.shape)
  for (const [key, schema] of Object.entries<z.ZodType>(Object.assign({}, ...all, chosen)))
    for (const option of optionsOf(key, schema, asked?.defaults))
      command.addOption(option.hideHelp(!(key in chosen)))
  for (const option of command.options)
    option.description = withFlags(option.description, command.options)
  return command
}

/** The models by family: the kind of head that they are trained with by default. */
function modelLines(): string[] {
  const families = new Map<string, string[]>()
  for (const name of modelTypes().toSorted()) {
    const family = familyKind(modelDefinition(name))
    families.set(family, [...(families.get(family) ?? []), name])
  }
  const width = Math.max(...[...families.keys()].map((name) => name.length))
  return [...families]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([family, names]) => `  ${family.padEnd(width)}  ${names.join(', ')}`)
}

/** The kind of a family, by the head of its default task. */
export const familyKind = ({ task }: Pick<ModelDefinition, 'task'>): string =>
  FAMILIES[taskHeads[task]] ?? 'others'

const FAMILIES: Readonly<Partial<Record<Head, string>>> = {
  'causal-lm': 'decoders',
  'masked-lm': 'encoders',
  'seq2seq-lm': 'encoder-decoders',
  'image-classification': 'vision',
}

function help(chosen?: TaskDefinition): string {
  const width = Math.max(...taskDefinitions().map(({ name }) => name.length))
  const line = ({ name, about }: { name: string; about: string }): string =>
    `  ${name.padEnd(width)}  ${about}`
  const columns = chosen ? `\nData of ${chosen.name}: ${chosen.columns}\n` : ''
  return `
Models:
${modelLines().join('\n')}

Tasks (--task NAME --help lists the options of each):
${taskDefinitions().map(line).join('\n')}

Optimizers (--optimizer NAME --help lists the options of each):
${optimizerDefinitions().map(line).join('\n')}
${columns}${exampleText('encoder', COMPLETE_LINES, OTHER_EXAMPLES)}`
}

const COMPLETE_LINES = [
  'npx heed train --from runs/words --data book.txt --steps 20 --out runs/tuned',
  'npx heed train --resume --out runs/tuned',
]

const OTHER_EXAMPLES = [
  'npx heed train gpt2 --data texts/ --tokenizer bpe:4096 --dropout 0.1 --out runs/texts',
  'npx heed train bert --data texts/ --out runs/bert',
  'npx heed train --from runs/bert --task text-classification --data mails.csv --out runs/spam',
]

/** Windows has no SIGTERM; there Ctrl-Break sends SIGBREAK, and a closed console SIGHUP. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGBREAK'] as const

export type Flags = Record<string, unknown> & { out: string; resume?: boolean; config?: string }

/** Trains with the flags of a command. */
export async function train(model: string | undefined, flags: Flags): Promise<void> {
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
  // A closed terminal sends SIGHUP once or twice, and output is no longer possible.
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
  checkModelName(raw.model)
  return parseTrainConfig(raw, file)
}

/** @throws HeedError for a general name such as lstm or gpt, with the model that is meant */
function checkModelName(name: unknown): void {
  const remedy = typeof name === 'string' && !modelTypes().includes(name) && modelFor(name)
  if (remedy)
    throw new HeedError('unknown-name', `\`model\` must be a model_type, got '${name}'`, {
      key: 'model',
      value: name,
      remedy,
    })
}

/** The configuration of the newest checkpoint, or else the one that the run was started with. */
async function configBefore(run: RunFolder): Promise<TrainConfig | undefined> {
  return (await run.state())?.config ?? run.configuration()
}

async function modelIn(from: unknown): Promise<string> {
  if (typeof from === 'string') return (await readModelConfig(from)).model_type
  throw new HeedError('invalid-option', 'A model to train is required', {
    key: 'model',
    remedy: 'Name an architecture (heed train gpt2), or a model folder with --from.',
  })
}

/** Other defaults of a run that starts from a model, and of one that trains an adapter. */
function ofStart(key: string, start?: ReturnType<typeof startDefaults>): string {
  const from = start?.from[key]
  const adapter = start?.adapter[key]
  return [
    from == null ? '' : `; with --from: ${from}`,
    adapter == null ? '' : `; with an adapter: ${adapter}`,
  ].join('')
}

/** The flags of a key; a boolean key has a second flag that switches it off, described by `off` in its metadata. */
export function optionsOf(
  key: string,
  schema: z.ZodType,
  defaults: Options = {},
  start?: ReturnType<typeof startDefaults>,
): Option[] {
  const fallback = Object.hasOwn(defaults, key) ? defaults[key] : schema.safeParse(undefined).data
  const shown =
    fallback != null && fallback !== false && fallback !== '' && typeof fallback !== 'object'
  const text = shown ? `${schema.description} (default: ${fallback}${ofStart(key, start)})` : `${schema.description}` // biome-ignore format: one line
  const flag = flagOf(key)
  const kind = valueKind(schema)
  if (kind === 'array') return [new Option(`${flag} <paths...>`, text)]
  if (kind === 'record') return [new Option(`${flag} <key=value...>`, text).argParser(assignments)]
  if (kind === 'number') return [new Option(`${flag} <number>`, text).argParser(number)]
  if (kind !== 'boolean') return [new Option(`${flag} <name>`, text)]
  const off = schema.meta()?.off ?? `set ${key} to false`
  return [new Option(flag, text), new Option(flag.replace('--', '--no-'), String(off))]
}
