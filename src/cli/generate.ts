import { Command } from 'commander'
import pc from 'picocolors'
import { generate, repetitionPenalty } from '../generate/index.ts'
import { fromPretrained } from '../models/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { number, whole } from './options.ts'
import { short } from './text.ts'

interface Flags {
  prompt: string
  tokens: number
  temperature: number
  topK: number
  topP: number
  minP: number
  repetitionPenalty: number
  seed?: number
}

export function generateCommand(): Command {
  return new Command('generate')
    .description('Write on from a prompt; the text alone goes to standard output, as it comes.')
    .argument('<run>', 'the folder of a run, or any Hugging Face folder of a model')
    .option('--prompt <text>', 'what the text begins with', '')
    .option('--tokens <number>', 'how many tokens to write at most', whole, 200)
    .option(
      '--temperature <number>',
      '0 takes the likeliest token, 1 samples as the model says',
      number,
      0.8,
    )
    .option('--top-k <number>', 'only among the k likeliest tokens, 0 for all', whole, 0)
    .option('--top-p <number>', 'only among the likeliest that make up this probability', number, 1)
    .option(
      '--min-p <number>',
      'only among tokens with this share of the top probability',
      number,
      0,
    )
    .option('--repetition-penalty <number>', 'above 1 avoids what was written already', number, 1)
    .option('--seed <number>', 'the same seed writes the same text', whole)
    .addHelpText(
      'after',
      `
Examples:
  $ heed generate runs/moby-dick --prompt "Call me" --tokens 300
  $ heed generate ./gpt2 --prompt "In short," --temperature 0 > text.txt`,
    )
    .action(write)
}

async function write(
  run: string,
  { prompt, tokens, repetitionPenalty: penalty, ...sampling }: Flags,
): Promise<void> {
  const model = await fromPretrained(run)
  const tokenizer = await Tokenizer.fromFile(run)
  const stop = new AbortController()
  const interrupt = (): void => stop.abort()
  process.once('SIGINT', interrupt)
  const start = performance.now()
  let pieces = 0
  try {
    const text = generate(model, tokenizer, prompt, {
      maxTokens: tokens,
      signal: stop.signal,
      processors: penalty === 1 ? [] : [repetitionPenalty(penalty)],
      ...sampling,
    })
    for await (const piece of text) {
      process.stdout.write(pieces === 0 ? prompt + piece : piece)
      pieces++
    }
    if (pieces === 0) process.stdout.write(prompt)
  } catch (error) {
    if (!stop.signal.aborted) throw error
  } finally {
    process.off('SIGINT', interrupt)
  }
  process.stdout.write('\n')
  const seconds = (performance.now() - start) / 1000
  if (process.stderr.isTTY)
    process.stderr.write(
      pc.dim(`${pieces} pieces in ${seconds.toFixed(1)} s, ${short(pieces / seconds)}/s\n`),
    )
}
