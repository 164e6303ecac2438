import { Command, Option } from 'commander'
import { readJsonObject } from '../io/json.ts'
import {
  parseTrainConfig,
  type TrainConfig,
  type TrainKey,
  trainKeys,
  trainSchema,
} from '../train/config.ts'
import { trainGpt } from '../train/gpt.ts'
import { RunFolder } from '../train/run-folder.ts'
import { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { flagOf, number } from './options.ts'
import { trainView } from './train-view.ts'

const MODELS = ['gpt2']

export function trainCommand(): Command {
  const command = new Command('train')
    .description('Train a model on your own text; the run is a folder that transformers opens.')
    .argument('<model>', `the architecture: ${MODELS.join(', ')}`)
    .requiredOption('--out <folder>', 'where the run is kept')
    .option('--resume', 'go on from the newest checkpoint in --out')
    .option('--config <file>', 'a JSON file with the same keys (camelCase); flags go before it')
  for (const key of trainKeys) command.addOption(optionOf(key))
  return command
    .addHelpText(
      'after',
      `
Examples:
  $ heed train gpt2 --data book.txt --out runs/book
  $ heed train gpt2 --data texts/ --tokenizer bpe:4096 --layers 6 --heads 6 --dim 384 \\
      --context 256 --batch 8 --steps 5000 --dropout 0.1 --out runs/texts
  $ heed train gpt2 --out runs/texts --resume`,
    )
    .action(train)
}

type Flags = Partial<TrainConfig> & { out: string; resume?: boolean; config?: string }

async function train(model: string, flags: Flags): Promise<void> {
  if (!MODELS.includes(model))
    throw new HeedError(`There is no model '${model}' to train`, {
      remedy: `Did you mean ${nearestFirst(model, MODELS)[0]}? Known: ${MODELS.join(', ')}.`,
    })
  const { out, resume = false, config: file, ...given } = flags
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
    const outcome = await trainGpt({ config, out, resume, signal: stop.signal, on: view.on })
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
  given: Partial<TrainConfig>,
): Promise<TrainConfig> {
  const written = file === undefined ? {} : await readJsonObject(file)
  const before = resume ? (await new RunFolder(out).latest())?.state.config : undefined
  const raw = { ...before, ...written, ...given }
  if (!('data' in raw))
    throw new HeedError('There is no text to train on', {
      remedy: 'Give files or folders with --data.',
    })
  return parseTrainConfig(raw, file ?? 'the command line')
}

function optionOf(key: TrainKey): Option {
  const { description } = trainSchema.shape[key]
  const fallback = trainSchema.shape[key].safeParse(undefined).data
  const text = fallback === undefined ? `${description}` : `${description} (default: ${fallback})`
  const flag = flagOf(key)
  if (key === 'data') return new Option(`${flag} <paths...>`, text)
  if (typeof fallback === 'string') return new Option(`${flag} <name>`, text)
  return new Option(`${flag} <number>`, text).argParser(number)
}
