// heed chat --judge: the best of several answers.
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { BestOptions, Candidate, Chat, Judge } from '../generate/index.ts'
import { attributes } from '../generate/judge/attributes.ts'
import type { CausalLM } from '../models/index.ts'
import { openJudge } from '../train/open-judge.ts'
import { HeedError } from '../util/errors.ts'
import { flagOf } from '../util/flag-of.ts'
import { stderrColors } from './colors.ts'
import type { OpenFlags } from './open-model.ts'
import { number, positive } from './options.ts'

export interface RankFlags extends OpenFlags {
  rank?: number
  judge?: string
  safety?: number
  all?: boolean
}

export const addRankFlags = (command: Command): Command =>
  command
    .optionsGroup('Ranking of answers (LaMDA):')
    .option(
      '--judge <run>',
      'a run of the task lamda, which judges sampled answers; also the model',
    )
    .option(
      '--rank <number>',
      'number of answers to sample with --judge, by default from the 40 most likely tokens (default: 16)',
      positive,
    )
    .option(
      '--safety <probability>',
      'drop answers with a lower probability of being safe (default: 0.5)',
      share,
    )
    .option('--all', 'print all answers with their ratings to standard error')

function share(text: string): number {
  const value = number(text)
  if (value >= 0 && value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

const ONLY_WITH_JUDGE = ['rank', 'safety', 'all'] as const

/**
 * Opens the judge of the flags; null without one. The run of the model is not opened again.
 * @throws HeedError for flags that have no effect without a judge, or with this one
 */
export async function judgeOf(
  path: string,
  model: CausalLM,
  flags: RankFlags,
): Promise<Judge | null> {
  const { judge: dir, adapter, base, safety } = flags
  if (dir === undefined) {
    const given = ONLY_WITH_JUDGE.find((name) => flags[name] !== undefined)
    if (given === undefined) return null
    throw new HeedError('invalid-option', `${flagOf(given)} needs --judge, a run of the task lamda`, {
      key: given,
      value: flags[given],
      remedy: `Add --judge RUN, or omit ${flagOf(given)}.`,
    }) // biome-ignore format: one line
  }
  const isSame = resolve(dir) === resolve(path) && adapter === undefined
  const judge = await openJudge(dir, isSame ? { model } : { base })
  const lacking = attributes.filter((name) => !judge.attributes.includes(name))
  if (safety !== undefined && lacking.includes('safe'))
    throw new HeedError('invalid-option', `--safety needs a judge of \`safe\`, got ${dir}, which judges ${judge.attributes.join(', ')}`, {
      key: 'safety',
      value: safety,
      remedy: 'Omit it, or train the judge on rows with `safe`.',
    }) // biome-ignore format: one line
  if (lacking.length > 0) note(`${dir} does not judge ${lacking.join(', ')}; the others count.`)
  return judge
}

/** Answers with the best of several answers. It goes to standard output, everything else to standard error. */
export async function writeBest(
  session: Chat,
  judge: Judge,
  text: string,
  { all = false, ...options }: BestOptions & { all?: boolean },
): Promise<void> {
  const start = performance.now()
  const said = await session.sayBest(text, judge, options).catch((error) => {
    if (!options.signal?.aborted) throw error
  })
  if (!said) return // interrupted
  const { answer, candidates } = said
  if (all) for (const line of candidateLines(candidates)) note(line)
  if (answer !== null) process.stdout.write(`${answer}\n`)
  else note(noAnswer(candidates))
  note(
    `${candidates.length} different answers in ${((performance.now() - start) / 1000).toFixed(1)} s`,
  )
}

function noAnswer(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'All answers were empty.'
  const safest = Math.max(...candidates.map(({ ratings }) => ratings.safe ?? 0))
  return `No answer is safe enough: the safest has ${safest.toFixed(2)}. Use a larger --rank or a smaller --safety.`
}

/** A line for each candidate: its score, its ratings and its text. */
function candidateLines(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ score, safe, ratings, text }) => {
    const rated = Object.entries(ratings).map(([name, value]) => `${name} ${value.toFixed(2)}`)
    const mark = safe ? score.toFixed(2).padStart(5) : 'unsafe'
    return `${mark}  ${rated.join(', ')}  ${text.replace(/\s+/g, ' ')}`
  })
}

const note = (text: string): void => void process.stderr.write(`${stderrColors.dim(text)}\n`)
