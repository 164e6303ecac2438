// Prints errors and help text. Options that the library names in backticks become flags.
import type { Command, Option } from 'commander'
import type { HeedError } from '../util/errors.ts'
import { nearestFirst } from '../util/nearest.ts'
import { shellWord } from '../util/shell.ts'
import { stderrColors } from './colors.ts'

/** Prints the message and the remedy of an error to standard error. */
export function printError(error: HeedError, command?: Command): void {
  const [message, remedy] = [error.message, error.remedy].map(
    (text) => text && withFlags(text, command?.options ?? []),
  )
  process.stderr.write(`${stderrColors.red('heed:')} ${message}\n${remedy ? `  ${remedy}\n` : ''}`)
}

/**
 * Replaces keys in backticks that are among the options by flags: `minLr` becomes --min-lr, `layers: 2` becomes
 * --layers 2, and `special: false` and `special` false become --no-special. Other text in backticks is kept.
 */
export function withFlags(text: string, options: readonly Option[]): string {
  return text.replaceAll(
    REFERENCE,
    (reference: string, key: string, inner?: string, after?: string) => {
      const name = Object.hasOwn(OTHER_NAMES, key) ? [key, OTHER_NAMES[key]] : [key]
      const matching = options.filter((option) => name.includes(option.attributeName()))
      if (matching.length === 0) return reference
      const value = inner ?? after
      const off = matching.find(({ negate }) => negate)
      const on = matching.find(({ negate }) => !negate)
      if (value === 'false' || !on) return (value !== 'true' && off?.long) || reference
      const isSwitch = on.isBoolean()
      const flag = on.long ?? reference
      return value === undefined || (isSwitch && value === 'true')
        ? flag
        : `${flag} ${shellWord(value)}`
    },
  )
}

/** A key in backticks with an optional value: `key`, `key: value`, `key` true. */
const REFERENCE = /`([a-zA-Z]\w*)(?:: ([^`\n]+))?`(?: (true|false)\b)?/g

/** Options that have another name on the command line than in the library. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  batchSize: 'batch',
  maxTokens: 'tokens',
  contextLength: 'context',
  topK: 'top',
  repetition_penalty: 'repetitionPenalty',
  no_repeat_ngram_size: 'noRepeatNgram',
}

/** "Did you mean a? Known: a, b, c." */
export function suggestion(name: string, known: readonly string[]): string {
  return `Did you mean ${nearestFirst(name, known)[0]}? Known: ${known.join(', ')}.`
}
