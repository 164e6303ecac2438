import { Command } from 'commander'
import { Chat, type ModelOptions } from '../generate/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { addRankFlags, judgeOf, type RankFlags, writeBest } from './chat-ranked.ts'
import { converse } from './chat-session.ts'
import { pc } from './colors.ts'
import { addExamples } from './examples.ts'
import { addOpenFlags, openModel } from './open-model.ts'
import { collected, positive } from './options.ts'
import { addSamplingFlags, orElse, type SamplingFlags, samplingOf } from './sampling-flags.ts'

/** Defaults for settings that neither a flag nor the model gives. */
const TOKENS = 512
const SAMPLING = { temperature: 0.6, minP: 0.05 }

/** With a judge: LaMDA samples from the 40 most likely tokens. The answers are in memory together. */
const RANKED_TOKENS = 128
const RANKED = { temperature: 1, topK: 40 }

interface Flags extends SamplingFlags, RankFlags {
  prompt?: string
  system?: string
  tokens?: number
  stop?: string[]
  context?: number
}

export function chatCommand(): Command {
  const command = new Command('chat')
    .description('Chat with an instruction-tuned model.')
    .argument('<model>', 'the Hugging Face folder of a model, or a GGUF file')
    .option('--prompt <text>', 'answer this message and exit')
    .option('--system <text>', 'system message: the role of the assistant')
    .option(
      '--tokens <number>',
      `maximum number of tokens in an answer ${orElse(TOKENS)}`,
      positive,
    )
    .option('--stop <text>', 'stop before this text or special token; repeatable', collected)
    .option('--context <number>', 'number of tokens of the conversation to keep', positive)
  addSamplingFlags(addOpenFlags(command), SAMPLING)
  addRankFlags(command).action(chat).addHelpText('after', OUTPUT)
  return addExamples(
    command,
    'nothing',
    [
      'npx heed pull HuggingFaceTB/SmolLM2-135M-Instruct SmolLM2',
      'npx heed chat SmolLM2 --prompt "What is the capital of France?" --tokens 30',
    ],
    [
      'npx heed chat model.gguf',
      'npx heed chat model.gguf --prompt "Write a haiku." --temperature 0 > answer.txt',
      'npx heed chat runs/lamda --judge runs/lamda --rank 16 --all',
    ],
  )
}

const OUTPUT = '\nAnswers go to standard output, everything else to standard error.'

async function chat(path: string, flags: Flags): Promise<void> {
  const { prompt, system, tokens: maxTokens, context: contextLength } = flags
  const model = await openModel(path, 'causal-lm', flags)
  const tokenizer = await Tokenizer.fromFile(path)
  if (tokenizer.config.chat_template === undefined) throw notForChat(path)
  const session = new Chat(model, tokenizer, { system, contextLength })
  const judge = await judgeOf(path, model, flags)
  const defaults = judge ? { ...RANKED, maxTokens: RANKED_TOKENS } : { ...SAMPLING, maxTokens: TOKENS } // biome-ignore format: one line
  const options: ModelOptions = { ...samplingOf(flags, defaults), maxTokens, stop: flags.stop }
  const ranking = { candidates: flags.rank, safety: flags.safety, all: flags.all }
  const answer = (text: string, signal: AbortSignal): Promise<void> =>
    judge
      ? writeBest(session, judge, text, { ...options, ...ranking, signal })
      : write(session, text, { ...options, signal })
  if (prompt === undefined) return converse(session, answer)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  await answer(prompt, stop.signal)
}

const notForChat = (path: string): HeedError =>
  new HeedError(
    'unsupported',
    `The tokenizer of a model for chat must have a chat template, got none in ${path}`,
    {
      key: 'chat_template',
      value: path,
      remedy: `Use a model that was tuned for chat, or continue a text: heed generate ${path} --prompt "…"`,
    },
  )

/** Streams the answer to standard output, then prints speeds to standard error. */
async function write(session: Chat, text: string, options: ModelOptions): Promise<void> {
  const start = performance.now()
  let first = 0
  let end = '\n'
  try {
    for await (const piece of session.say(text, options)) {
      first ||= performance.now() - start
      process.stdout.write(piece)
      end = piece.endsWith('\n') ? '' : '\n'
    }
  } catch (error) {
    if (!options.signal?.aborted) throw error
  } finally {
    if (first > 0) process.stdout.write(end)
  }
  process.stderr.write(pc.dim(`${summary(session, first, performance.now() - start)}\n`))
}

function summary({ lastTurn }: Chat, first: number, total: number): string {
  const { readTokens, writtenTokens, forgotten } = lastTurn
  const rate = (tokens: number, ms: number): string =>
    ms > 0 && tokens > 0 ? `, ${((1000 * tokens) / ms).toFixed(1)} tokens/s` : ''
  const items = [
    `read ${readTokens} tokens${rate(readTokens, first)}`,
    `wrote ${writtenTokens}${rate(writtenTokens - 1, total - first)}`,
  ]
  if (forgotten > 0) items.push(`dropped the ${forgotten} oldest turns`)
  return items.join('; ')
}
