import { HeedError, invalidOption } from '../../util/errors.ts'
import type { TextTokens } from './encoder.ts'
import { PLAIN_TEMPLATE } from './post-processors.ts'
import type { PostProcessor, TemplateItem } from './steps.ts'

/** The tokens of a text or a pair of texts, as parallel lists with one entry per token. */
export interface Encoding {
  /** Token ids. */
  ids: number[]
  /** The tokens as the vocabulary writes them, such as `Ġhello` or `##ing`. */
  tokens: string[]
  /**
   * UTF-16 indices of each token in its text: `text.slice(start, end)`. A token that is part of a character has the
   * offsets of the whole character. Special tokens of the template have [0, 0].
   */
  offsets: [start: number, end: number][]
  /** `token_type_ids`: the segment of each token, defined by the template of the tokenizer. */
  typeIds: number[]
  /** 0 for the first text, 1 for the second, null for special tokens of the template. */
  sequenceIds: (0 | 1 | null)[]
  /** Index of the word of each token; null for special tokens of the template. */
  wordIds: (number | null)[]
}

/** Text of a pair to truncate: `longest_first` shortens the longer one token by token. */
export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second'

/** Options for truncation. */
export interface TruncationOptions {
  /** Maximum number of tokens, including special tokens. */
  maxLength?: number
  /** Text of a pair to truncate. Default `longest_first`. */
  truncation?: TruncationStrategy
  /** Side to truncate. Default: the tokenizer's setting, or `right`. */
  truncationSide?: 'left' | 'right'
}

/** Inserts one or two texts into the template, truncated to `maxLength`. */
export function assemble(
  texts: readonly TextTokens[],
  { template = PLAIN_TEMPLATE }: PostProcessor,
  options: TruncationOptions & { addSpecialTokens: boolean; tokenOf: (id: number) => string },
): Encoding {
  const places = texts.length === 1 ? template.single : template.pair
  const items = places.filter((item) => 'sequence' in item || options.addSpecialTokens)
  const truncated = truncate(texts, items, options)
  const encoding = emptyEncoding()
  for (const item of items) {
    if ('special' in item) pushSpecial(encoding, item.special, item.typeId)
    else pushText(encoding, truncated, item.sequence === 'A' ? 0 : 1, item.typeId)
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
  texts: readonly TextTokens[],
  sequence: 0 | 1,
  typeId: number,
): void {
  const { ids, offsets, words } = texts[sequence]
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
    throw invalidOption({
      key: 'maxLength',
      value: maxLength,
      expected: `a whole number from ${around}, the number of special tokens`,
      try: { maxLength: [around + 1, 512] },
    })
  }
  const lengths = texts.map(({ ids }) => ids.length)
  const kept = keptLengths(lengths, room, truncation)
  return texts.map((text, i) => take(text, kept[i], truncationSide))
}

/** The lengths after truncation, as in Python's `tokenizers`. */
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
    'invalid-data',
    `The ${text === 0 ? 'first' : 'second'} text must be shorter than \`maxLength\`, because only the other text is truncated`,
    {
      key: 'truncation',
      try: { truncation: ['longest_first'] },
      remedy: 'Increase `maxLength`, or use `truncation` longest_first.',
    },
  )
}

function take(text: TextTokens, length: number, side: 'left' | 'right'): TextTokens {
  const { ids, offsets, words, texts } = text
  if (length >= ids.length) return text
  const [from, to] = side === 'right' ? [0, length] : [ids.length - length, ids.length]
  return {
    ids: ids.slice(from, to),
    offsets: offsets.slice(from, to),
    words: words.slice(from, to),
    texts: texts.slice(from, to),
  }
}
