import { HeedError } from '../../util/errors.ts'
import type { TextTokens } from './encoder.ts'
import { PLAIN_TEMPLATE } from './post-processors.ts'
import type { PostProcessor, TemplateItem } from './steps.ts'

/** A text, or a pair of texts, as tokens: parallel lists with one entry a token. */
export interface Encoding {
  ids: number[]
  tokens: string[]
  /**
   * UTF-16 indices into the text that the token comes from: `text.slice(start, end)`. A token that
   * is part of a character stands for all of it; a special token that was put there has [0, 0].
   */
  offsets: [start: number, end: number][]
  /** `token_type_ids`: which of two segments, as the tokenizer's template says. */
  typeIds: number[]
  /** 0 for the text, 1 for its pair, null for the special tokens around them. */
  sequenceIds: (0 | 1 | null)[]
  /** The word of its text that a token is part of. */
  wordIds: (number | null)[]
}

export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second'

export interface TruncationOptions {
  /** At most so many tokens, special ones included. */
  maxLength?: number
  /** What is cut to `maxLength`. Default `longest_first`. */
  truncation?: TruncationStrategy
  /** Where it is cut. Default: as the tokenizer says, else `right`. */
  truncationSide?: 'left' | 'right'
}

/** Puts one text, or two, in the places of the template, cut to the length that is asked for. */
export function assemble(
  texts: readonly TextTokens[],
  { template = PLAIN_TEMPLATE }: PostProcessor,
  options: TruncationOptions & { addSpecialTokens: boolean; tokenOf: (id: number) => string },
): Encoding {
  const wanted = texts.length === 1 ? template.single : template.pair
  const items = wanted.filter((item) => 'sequence' in item || options.addSpecialTokens)
  const parts = truncate(texts, items, options)
  const encoding = emptyEncoding()
  for (const item of items) {
    if ('special' in item) pushSpecial(encoding, item.special, item.typeId)
    else pushText(encoding, parts, item.sequence === 'A' ? 0 : 1, item.typeId)
  }
  encoding.tokens = encoding.ids.map(options.tokenOf)
  return encoding
}

function emptyEncoding(): Encoding {
  return { ids: [], tokens: [], offsets: [], typeIds: [], sequenceIds: [], wordIds: [] }
}

function pushSpecial(encoding: Encoding, ids: readonly number[], typeId: number): void {
  for (const id of ids) {
    encoding.ids.push(id)
    encoding.offsets.push([0, 0])
    encoding.typeIds.push(typeId)
    encoding.sequenceIds.push(null)
    encoding.wordIds.push(null)
  }
}

function pushText(
  encoding: Encoding,
  parts: readonly TextTokens[],
  sequence: 0 | 1,
  typeId: number,
): void {
  const { ids, offsets, words } = parts[sequence]
  ids.forEach((id, i) => {
    encoding.ids.push(id)
    encoding.offsets.push(offsets[i])
    encoding.typeIds.push(typeId)
    encoding.sequenceIds.push(sequence)
    encoding.wordIds.push(words[i])
  })
}

function truncate(
  texts: readonly TextTokens[],
  items: readonly TemplateItem[],
  options: TruncationOptions,
): readonly TextTokens[] {
  const { maxLength, truncation = 'longest_first', truncationSide = 'right' } = options
  if (maxLength === undefined) return texts
  const around = items.reduce((n, item) => n + ('special' in item ? item.special.length : 0), 0)
  const room = maxLength - around
  if (!Number.isInteger(maxLength) || room < 0) {
    throw new HeedError('corrupt-file', `maxLength is ${maxLength}`, {
      remedy: `Give a whole number; the special tokens alone take ${around}.`,
    })
  }
  const lengths = texts.map(({ ids }) => ids.length)
  const kept = keptLengths(lengths, room, truncation)
  return texts.map((text, i) => take(text, kept[i], truncationSide))
}

/** How much of each text fits, as Python's `tokenizers` shares it out. */
function keptLengths(lengths: number[], room: number, strategy: TruncationStrategy): number[] {
  const total = lengths.reduce((a, b) => a + b, 0)
  if (total <= room) return lengths
  if (lengths.length === 1) return strategy === 'only_second' ? tooLong(0) : [room]
  if (strategy !== 'longest_first') {
    const cut = strategy === 'only_first' ? 0 : 1
    const rest = room - lengths[1 - cut]
    if (rest < 0) return tooLong(1 - cut)
    return cut === 0 ? [rest, lengths[1]] : [lengths[0], rest]
  }
  const shorter = Math.min(...lengths)
  let [short, long] = [shorter, shorter > room ? shorter : Math.max(shorter, room - shorter)]
  if (short + long > room) {
    short = Math.floor(room / 2)
    long = short + (room % 2)
  }
  return lengths[0] > lengths[1] ? [long, short] : [short, long]
}

function tooLong(text: number): never {
  throw new HeedError(
    'corrupt-file',
    `the ${text === 0 ? 'first' : 'second'} text alone is too long`,
    {
      remedy: "Give a greater maxLength, or truncation: 'longest_first'.",
    },
  )
}

function take(text: TextTokens, length: number, side: 'left' | 'right'): TextTokens {
  const { ids, offsets, words } = text
  if (length >= ids.length) return text
  const [from, to] = side === 'right' ? [0, length] : [ids.length - length, ids.length]
  return {
    ids: ids.slice(from, to),
    offsets: offsets.slice(from, to),
    words: words.slice(from, to),
  }
}
