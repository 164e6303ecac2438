import type { Dice } from './dice.ts'

/** Changes one thing in a text. `words` have a meaning in its format; `other` is another text of the same format. */
export function mutateText(
  text: string,
  other: string,
  words: readonly string[],
  dice: Dice,
): string {
  return dice.pick(CHANGES)(text, dice, { other, words })
}

type Change = (
  text: string,
  dice: Dice,
  around: { other: string; words: readonly string[] },
) => string

const insertWord: Change = (text, dice, { words }) => {
  const at = dice.below(text.length + 1)
  const word = dice.chance(0.7) && words.length > 0 ? dice.pick(words) : dice.pick(UNUSUAL)
  return text.slice(0, at) + word + text.slice(at)
}

/** Replaces a word of the format by another. */
const replaceWord: Change = (text, dice, { words }) => {
  const there = words.filter((word) => text.includes(word))
  if (there.length === 0) return `${text}${dice.pick(UNUSUAL)}`
  const word = dice.pick(there)
  const places = text.split(word)
  const at = 1 + dice.below(places.length - 1)
  return places.slice(0, at).join(word) + dice.pick(words) + places.slice(at).join(word)
}

const removePart: Change = (text, dice) => {
  const at = dice.below(text.length + 1)
  return text.slice(0, at) + text.slice(at + dice.size(40))
}

const repeatPart: Change = (text, dice) => {
  const at = dice.below(text.length + 1)
  const part = text.slice(at, at + dice.size(60))
  const times = Math.min(dice.size(2000), Math.floor(100_000 / (part.length + 1)))
  return text.slice(0, at) + part.repeat(times) + text.slice(at)
}

const copyPart: Change = (text, dice, { other }) => {
  const [at, from] = [dice.below(text.length + 1), dice.below(other.length + 1)]
  return text.slice(0, at) + other.slice(from, from + dice.size(200)) + text.slice(at)
}

const splice: Change = (text, dice, { other }) =>
  text.slice(0, dice.below(text.length + 1)) + other.slice(dice.below(other.length + 1))

const truncate: Change = (text, dice) => text.slice(0, dice.below(text.length + 1))

const swapCharacter: Change = (text, dice) => {
  const at = dice.below(text.length + 1)
  return text.slice(0, at) + dice.pick(UNUSUAL) + text.slice(at + 1)
}

const nest: Change = (text, dice, { words }) => {
  const word = words.length > 0 ? dice.pick(words) : '('
  const at = dice.below(text.length + 1)
  return text.slice(0, at) + word.repeat(dice.pick([10, 300, 5000, 20_000])) + text.slice(at)
}

const UNUSUAL = [
  '\0',
  '\ufeff',
  '\u200d',
  '\ud83d',
  '😀',
  'é̀',
  '\r',
  '\r\n',
  '\n',
  '\t',
  '"',
  "'",
  '\\',
  ' ',
  '-1',
  '1e999',
  '99999999999999999999',
  '__proto__',
  'constructor',
  'toString',
]

const CHANGES: readonly Change[] = [
  insertWord,
  insertWord,
  insertWord,
  replaceWord,
  replaceWord,
  removePart,
  repeatPart,
  copyPart,
  splice,
  truncate,
  swapCharacter,
  nest,
]
