import { Command } from 'commander'
import pc from 'picocolors'
import { generate } from '../generate/index.ts'
import { fromPretrained } from '../models/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { whole } from './options.ts'
import { addSamplingFlags, type SamplingFlags, samplingOf } from './sampling-flags.ts'
import { short } from './text.ts'

interface Flags extends SamplingFlags {
  prompt: string
  tokens: number
}

export function generateCommand(): Command {
  const command = new Command('generate')
    .description('Write on from a prompt; the text alone goes to standard output, as it comes.')
    .argument('<run>', 'the folder of a run, any Hugging Face folder of a model, or a GGUF file')
    .option('--prompt <text>', 'what the text begins with', '')
    .option('--tokens <number>', 'how many tokens to write at most', whole, 200)
  return addSamplingFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  $ heed generate runs/moby-dick --prompt "Call me" --tokens 300
  $ heed generate ./gpt2 --prompt "In short," --temperature 0 > text.txt`,
    )
    .action(write)
}

async function write(run: string, { prompt, tokens, ...sampling }: Flags): Promise<void> {
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
      ...samplingOf(sampling),
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
