// Where rewards come from: a reward run, a module, or a reward by name.
import { existsSync, statSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { isFile } from '../../io/files/is-file.ts'
import { readJson } from '../../io/files/json.ts'
import { fromPretrained } from '../../models/index.ts'
import { parseReward, type Reward } from '../../rewards/index.ts'
import { type ChatMessage, Tokenizer } from '../../tokenizers/index.ts'
import { HeedError, shown } from '../../util/errors.ts'
import { loadImports } from '../../util/imports.ts'
import type { Prompt } from './prompts.ts'
import { rewardsOfConversations } from './reward.ts'

/** An answer to a prompt. */
export interface Answered {
  prompt: Prompt
  /** Text of the answer, without special tokens. */
  answer: string
}

/** Judges answers. */
export type Judge = (answered: readonly Answered[]) => Promise<number[]>

/**
 * Opens a reward: the folder of a reward run, a module with a reward as its default export, or a name with options.
 * @param seconds time limit for an answer
 * @throws HeedError if there is no such reward
 */
export async function openReward(reward: string, seconds: number): Promise<Judge> {
  if (ENDINGS.includes(extname(reward))) return judgeBy(await rewardOfModule(reward), seconds)
  if (existsSync(reward) && statSync(reward).isDirectory()) return judgeOfRun(reward)
  if (/^[^:]*[/\\]/.test(reward))
    throw new HeedError('missing-file', `\`reward\` must be the folder of a reward run, a module, or the name of a reward, got ${shown(reward)}, which is not there`, {
      key: 'reward',
      value: reward,
      remedy: `Check the path; a module ends in ${ENDINGS.join(', ')}.`,
    }) // biome-ignore format: one line
  return judgeBy(parseReward(reward), seconds)
}

const ENDINGS = ['.js', '.mjs', '.ts', '.mts']

/** Judges with a reward model. */
async function judgeOfRun(folder: string): Promise<Judge> {
  const path = join(folder, 'task.json')
  const file = TASK_FILE.safeParse((await isFile(path)) ? await readJson(path) : {})
  const kind = file.data?.task
  if (kind !== 'reward')
    throw new HeedError('invalid-option', `\`reward\` must be a run of the task reward, got ${kind === undefined ? 'a folder without a task' : `a run of ${kind}`}`, {
      key: 'reward',
      value: folder,
      remedy: 'Train a reward model on preferences first, or name a reward such as exact-match.',
    }) // biome-ignore format: one line
  const preprocessor = await Tokenizer.fromFile(folder)
  const model = await fromPretrained(folder, 'sequence-classification')
  const contextLength = file.data?.context ?? model.contextLength
  model.freeze()
  const conversation = ({ prompt, answer }: Answered): { messages: ChatMessage[] } => ({
    messages: [...prompt.messages, { role: 'assistant', content: answer }],
  })
  return async (answered) => {
    const rewards = await rewardsOfConversations(model, { preprocessor, contextLength }, answered.map(conversation)) // biome-ignore format: one line
    return rewards.map((value, i) => checked(value, answered[i]))
  }
}

const TASK_FILE = z.looseObject({ task: z.string(), context: z.number().nullable() })

async function rewardOfModule(name: string): Promise<Reward> {
  await loadImports([name])
  const { default: reward } = await import(pathToFileURL(resolve(name)).href)
  if (typeof reward === 'function') return reward
  throw new HeedError('invalid-option', `${name} must export a function by default, got ${shown(reward)}`, {
    key: 'reward',
    value: name,
    remedy: 'Write export default (prompt, answer, row) => number.',
  }) // biome-ignore format: one line
}

/** Judges all answers with a function, each within the time limit. */
const judgeBy =
  (reward: Reward, seconds: number): Judge =>
  (answered) =>
    Promise.all(answered.map(async (pair) => checked(await valued(reward, pair, seconds), pair)))

async function valued(reward: Reward, answered: Answered, seconds: number): Promise<unknown> {
  const { prompt, answer } = answered
  const last = prompt.messages.at(-1)?.content
  const text = typeof last === 'string' ? last : JSON.stringify(last)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(failed(answered, `it must take at most ${seconds} seconds`))
    }, 1000 * seconds)
  })
  try {
    return await Promise.race([reward(text, answer, prompt.values), late])
  } catch (error) {
    throw error instanceof HeedError && error.details.key === 'reward' ? error : failed(answered, error instanceof HeedError ? error.message : String(error), error) // biome-ignore format: one line
  } finally {
    clearTimeout(timer)
  }
}

function checked(value: unknown, answered: Answered): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw failed(answered, `it must be a finite number, got ${shown(value)}`)
}

const failed = ({ prompt, answer }: Answered, why: string, cause?: unknown): HeedError =>
  new HeedError('invalid-data', `The reward of an answer to ${prompt.place} failed: ${why}`, {
    key: 'reward',
    value: answer,
    cause,
    remedy: `Correct the reward or the row. The answer was ${shown(answer.slice(0, 200))}.`,
  })
