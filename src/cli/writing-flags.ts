// The flags of `heed generate` beyond sampling, in groups as the help shows them.
import { type Command, Option } from 'commander'
import {
  type Drafter,
  DraftModel,
  frequencyPenalty,
  type LogitsProcessor,
  matchJsonSchema,
  matchRegex,
  noRepeatNgrams,
  PromptLookup,
  presencePenalty,
} from '../generate/index.ts'
import { readJson } from '../io/files/json.ts'
import { fromPretrained } from '../models/index.ts'
import type { Tokenizer } from '../tokenizers/index.ts'
import { HeedError } from '../util/errors.ts'
import { type QuantizeFormat, quantizeFormats } from '../util/quantize-blocks.ts'
import { flagOf, number, positive, whole } from './options.ts'

export interface WritingFlags {
  frequencyPenalty: number
  presencePenalty: number
  noRepeatNgram: number
  stop?: string[]
  regex?: string
  jsonSchema?: string
  beams?: number
  quantize?: QuantizeFormat
  draft?: string
  lookup?: boolean
  logprobs?: number
}

export function addWritingFlags(command: Command): Command {
  return command
    .option(
      '--frequency-penalty <number>',
      'off the score of a token for each time that it was written',
      number,
      0,
    )
    .option(
      '--presence-penalty <number>',
      'off the score of each token that was written',
      number,
      0,
    )
    .option('--no-repeat-ngram <n>', 'no n tokens come twice in a row; 0 is no rule', whole, 0)
    .optionsGroup('Where the text ends:')
    .option(
      '--stop <text>',
      'ends before this text; may be given several times',
      (text: string, before: string[] = []) => [...before, text],
    )
    .optionsGroup('Form (the prompt is then not repeated):')
    .option('--regex <pattern>', 'what is written matches this regular expression, as a whole')
    .option('--json-schema <file>', 'what is written is JSON that this schema accepts')
    .optionsGroup('Search and speed:')
    .option('--beams <number>', 'search the likeliest text with so many beams', positive)
    .addOption(
      new Option(
        '--quantize <format>',
        'round the weights: faster, and a little less exact',
      ).choices([...quantizeFormats]),
    )
    .option('--draft <dir>', 'a smaller model that guesses ahead: the same text in fewer steps')
    .option('--lookup', 'guess ahead what followed the same words earlier in the text')
    .optionsGroup('Output:')
    .option(
      '--logprobs <n>',
      'a line of JSON for each token, with the n likeliest beside it',
      whole,
    )
}

/** The rules that the flags ask for. */
export async function processorsOf(
  flags: WritingFlags,
  tokenizer: Tokenizer,
): Promise<LogitsProcessor[]> {
  const { jsonSchema, regex, noRepeatNgram } = flags
  const rules: LogitsProcessor[] = []
  if (flags.frequencyPenalty !== 0) rules.push(frequencyPenalty(flags.frequencyPenalty))
  if (flags.presencePenalty !== 0) rules.push(presencePenalty(flags.presencePenalty))
  if (noRepeatNgram > 0) rules.push(noRepeatNgrams(noRepeatNgram))
  if (regex !== undefined) rules.push(matchRegex(regex, tokenizer))
  if (jsonSchema !== undefined) rules.push(matchJsonSchema(await readJson(jsonSchema), tokenizer))
  return rules
}

export async function drafterOf({ draft, lookup }: WritingFlags): Promise<Drafter | undefined> {
  if (draft !== undefined) return new DraftModel(await fromPretrained(draft))
  return lookup ? new PromptLookup() : undefined
}

/** @throws HeedError when two flags ask for different things */
export function checkTogether(flags: WritingFlags): void {
  const pairs: [keyof WritingFlags, keyof WritingFlags][] = [
    ['draft', 'lookup'],
    ['beams', 'draft'],
    ['beams', 'lookup'],
    ['beams', 'logprobs'],
    ['regex', 'jsonSchema'],
  ]
  for (const [a, b] of pairs)
    if (flags[a] !== undefined && flags[b] !== undefined)
      throw new HeedError('invalid-option', `${flagOf(a)} and ${flagOf(b)} do not go together`, {
        remedy: 'Leave one of them out.',
      })
}
