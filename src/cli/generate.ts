import { Command } from 'commander'
import { type GenerateOptions, generate } from '../generate/index.ts'
import { type CausalLM, headOf } from '../models/index.ts'
import { readModelConfig } from '../models/weight-file.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { stderrColors } from './colors.ts'
import { addExamples } from './examples.ts'
import { piecesFromSource } from './generate-from-source.ts'
import { tokenLines } from './log-probability-lines.ts'
import { openModel } from './open-model.ts'
import { wholeNumber } from './options.ts'
import { addSamplingFlags, orElse, type SamplingFlags, samplingOf } from './sampling-flags.ts'
import { short } from './text.ts'
import {
  addWritingFlags,
  checkTogether,
  drafterOf,
  processorsOf,
  type WritingFlags,
} from './writing-flags.ts'

/** Defaults for settings that neither a flag nor the model gives. */
const TOKENS = 200
const SAMPLING = { temperature: 0.8 }

interface Flags extends SamplingFlags, WritingFlags {
  prompt: string
  tokens?: number
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description('Generate text from a prompt, optionally by a regular expression or JSON schema.')
    .argument('<run>', 'the folder of a run, the Hugging Face folder of a model, or a GGUF file')
    .option('--prompt <text>', 'the prompt', '')
    .option('--tokens <number>', `maximum number of new tokens ${orElse(TOKENS)}`, wholeNumber)
    .optionsGroup('Sampling:')
  addWritingFlags(addSamplingFlags(command, SAMPLING)).addHelpText('after', OUTPUT).action(write)
  return addExamples(
    command,
    'bookRun',
    ['npx heed generate runs/book --prompt "Call me" --tokens 50'],
    [
      'npx heed generate ./gpt2 --prompt "In short," --temperature 0 > text.txt',
      'npx heed generate ./gpt2 --prompt "Q: Who? A:" --beams 4 --no-repeat-ngram 3',
      'npx heed generate ./gpt2 --prompt "Born: " --regex "[0-9]{4}-[0-9]{2}-[0-9]{2}"',
      `npx heed generate ./gpt2 --prompt "Age: " --json-schema '{"type": "integer"}'`,
      'npx heed generate ./flan-t5-small --prompt "Translate to German: Hello." --temperature 0',
    ],
  )
}

const OUTPUT = '\nThe text goes to standard output, everything else to standard error.'

async function write(run: string, flags: Flags): Promise<void> {
  checkTogether(flags)
  const fromSource = headOf(await readModelConfig(run)) === 'seq2seq-lm'
  const tokenizer = await Tokenizer.fromFile(run, { asTarget: fromSource })
  const { generationConfig, ...sampling } = samplingOf(flags, { ...SAMPLING, maxTokens: TOKENS })
  const drafter = await drafterOf(flags, tokenizer)
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.once('SIGINT', interrupt)
  const start = performance.now()
  let pieces = 0
  try {
    const options = {
      ...sampling,
      maxTokens: flags.tokens,
      stop: flags.stop,
      processors: await processorsOf(flags, tokenizer),
      generationConfig: {
        ...generationConfig,
        ...(flags.noRepeatNgram !== undefined && { no_repeat_ngram_size: flags.noRepeatNgram }),
      },
      signal: stop.signal,
    }
    const text = fromSource
      ? piecesFromSource(run, tokenizer, flags, options)
      : piecesOf(await openModel(run, 'causal-lm', flags), tokenizer, flags, {
          ...options,
          drafter,
        })
    for await (const piece of text) {
      process.stdout.write(piece)
      pieces++
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.stdout.write('\n')
  } finally {
    process.off('SIGINT', interrupt)
  }
  const seconds = (performance.now() - start) / 1000
  if (!process.stderr.isTTY) return
  const items = [`${pieces} pieces in ${seconds.toFixed(1)} s, ${short(pieces / seconds)}/s`]
  if (drafter) items.push(`${drafter.accepted} of ${drafter.proposed} draft tokens accepted`)
  process.stderr.write(stderrColors.dim(`${items.join('; ')}\n`))
}

/** Yields the pieces of text for standard output. */
async function* piecesOf(
  model: CausalLM,
  tokenizer: Tokenizer,
  { prompt, beams, logprobs, regex, jsonSchema }: Flags,
  options: GenerateOptions,
): AsyncGenerator<string> {
  if (logprobs !== undefined) return yield* tokenLines(model, tokenizer, prompt, logprobs, options)
  let shown = regex === undefined && jsonSchema === undefined ? prompt : ''
  for await (const piece of generate(model, tokenizer, prompt, { ...options, beams })) {
    yield shown + piece
    shown = ''
  }
  yield `${shown}\n`
}
