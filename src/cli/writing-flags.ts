// The flags of `heed generate`, except the sampling flags, in the groups of its help.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import {
  type Drafter,
  DraftModel,
  frequencyPenalty,
  type LogitsProcessor,
  matchJsonSchema,
  matchRegex,
  PromptLookup,
  presencePenalty,
} from '../generate/index.ts'
import { parseJson, readJson } from '../io/files/json.ts'
import { fromPretrained } from '../models/index.ts'
import { Tokenizer } from '../tokenizers/index.ts'
import { HeedError, shown } from '../util/errors.ts'
import { flagOf } from '../util/flag-of.ts'
import { quantizeFormats } from '../util/quantize-blocks.ts'
import { addOpenFlags, type OpenFlags } from './open-model.ts'
import { collected, nameFrom, number, positive, wholeNumber } from './options.ts'
import { orElse } from './sampling-flags.ts'

export interface WritingFlags extends OpenFlags {
  frequencyPenalty: number
  presencePenalty: number
  noRepeatNgram?: number
  stop?: string[]
  regex?: string
  jsonSchema?: string
  beams?: number
  draft?: string
  lookup?: boolean
  logprobs?: number
}

export function addWritingFlags(command: Command): Command {
  command
    .option(
      '--frequency-penalty <number>',
      'amount to subtract from the score of a token for each of its occurrences',
      number,
      0,
    )
    .option(
      '--presence-penalty <number>',
      'amount to subtract from the score of a token that has occurred',
      number,
      0,
    )
    .option(
      '--no-repeat-ngram <n>',
      `never repeat a sequence of n tokens; 0: no limit ${orElse(0)}`,
      wholeNumber,
    )
    .optionsGroup('End of the text:')
    .option('--stop <text>', 'stop before this text or special token; repeatable', collected)
    .optionsGroup('Constrained output (without the prompt):')
    .option('--regex <pattern>', 'generate text that matches this regular expression')
    .option('--json-schema <schema>', 'generate JSON that matches this schema: a file, or JSON')
    .optionsGroup('Search and speed:')
    .option('--beams <number>', `beam search with this number of beams ${orElse(1)}`, positive)
    .option(
      '--quantize <format>',
      `quantize the weights: faster, slightly less exact (${quantizeFormats.join(', ')})`,
      nameFrom(quantizeFormats),
    )
  return addOpenFlags(command)
    .option(
      '--draft <dir>',
      'speculative decoding with a smaller model: the same text in fewer steps',
    )
    .option('--lookup', 'speculative decoding with tokens that followed the same words earlier')
    .optionsGroup('Output:')
    .option(
      '--logprobs <n>',
      'print one line of JSON per token, with the n most likely alternatives',
      wholeNumber,
    )
}

/** Creates the logits processors for the flags. */
export async function processorsOf(
  flags: WritingFlags,
  tokenizer: Tokenizer,
): Promise<LogitsProcessor[]> {
  const { jsonSchema, regex } = flags
  const rules: LogitsProcessor[] = []
  if (flags.frequencyPenalty !== 0) rules.push(frequencyPenalty(flags.frequencyPenalty))
  if (flags.presencePenalty !== 0) rules.push(presencePenalty(flags.presencePenalty))
  if (regex !== undefined) rules.push(matchRegex(regex, tokenizer))
  if (jsonSchema !== undefined) rules.push(matchJsonSchema(await schemaIn(jsonSchema), tokenizer))
  return rules
}

/** Parses JSON given on the command line, or reads the file of that name. */
async function schemaIn(text: string): Promise<unknown> {
  const isInline = /^\s*[{[]/.test(text) || /^\s*(true|false)\s*$/.test(text)
  return isInline && !existsSync(text) ? parseJson(text, '--json-schema') : readJson(text)
}

export async function drafterOf(
  { draft, lookup }: WritingFlags,
  tokenizer: Tokenizer,
): Promise<Drafter | undefined> {
  if (draft === undefined) return lookup ? new PromptLookup() : undefined
  const model = await fromPretrained(draft)
  checkSameTokens(tokenizer, await Tokenizer.fromFile(draft), draft)
  return new DraftModel(model)
}

/** @throws HeedError for tokenizers that differ in the ids that both have */
function checkSameTokens(tokenizer: Tokenizer, other: Tokenizer, draft: string): void {
  const count = Math.min(tokenizer.vocabSize, other.vocabSize)
  for (let id = 0; id < count; id++) {
    const [token, drafted] = [tokenizer.idToToken(id), other.idToToken(id)]
    if (token !== undefined && drafted !== undefined && token !== drafted)
      throw new HeedError(
        'invalid-option',
        `--draft must be a model with the same tokenizer, got ${draft}, where token ${id} is ${shown(drafted)} and not ${shown(token)}`,
        { value: draft, remedy: 'Draft with a smaller model of the same family.' },
      )
  }
}

/** @throws HeedError for flags that cannot be combined */
export function checkTogether(flags: WritingFlags): void {
  const pairs: [keyof WritingFlags, keyof WritingFlags][] = [
    ['draft', 'lookup'],
    ['beams', 'draft'],
    ['beams', 'lookup'],
    ['beams', 'logprobs'],
    ['regex', 'jsonSchema'],
    ['quantize', 'exact'],
  ]
  for (const [a, b] of pairs)
    if (flags[a] !== undefined && flags[b] !== undefined)
      throw new HeedError('invalid-option', `${flagOf(a)} and ${flagOf(b)} cannot be combined`, {
        remedy: 'Omit one of them.',
      })
}
