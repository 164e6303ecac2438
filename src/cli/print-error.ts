// Errors and help texts as the terminal shows them: options that the library names in backticks become flags.
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
 * Keys in backticks that are among the options, as flags: `minLr` becomes --min-lr, `layers: 2` --layers 2,
 * `special: false` and `special` false --no-special. Everything else in backticks stays.
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

/** A key in backticks, perhaps with a value: `key`, `key: value`, `key` true. */
const REFERENCE = /`([a-zA-Z]\w*)(?:: ([^`\n]+))?`(?: (true|false)\b)?/g

/** Options that the library and commands name differently. */
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
