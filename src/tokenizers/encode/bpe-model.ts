import { z } from 'zod'
import { refuse } from '../schema-error.ts'
import { nextCharacter } from './aligned-text.ts'
import type { MergeTable } from './merge-table.ts'
import { readMerges, vocabulary } from './model-settings.ts'
import { NumberHeap } from './number-heap.ts'
import { byteTokens, type Pieces, piecesOfBytes, unknownId, utf8Size } from './pieces.ts'
import { registerTokenizerStep } from './register-step.ts'
import { flag, text } from './settings.ts'
import type { TokenIds, WordModel } from './steps.ts'

const settings = z
  .object({
    vocab: vocabulary,
    merges: z.unknown(),
    dropout: z.number().nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: text(''),
    end_of_word_suffix: text(''),
    fuse_unk: flag(false),
    byte_fallback: flag(false),
    ignore_merges: flag(false),
  })
  .transform((json, context) => {
    const { vocab, continuing_subword_prefix: prefix, dropout } = json
    if (dropout !== 1 && dropout) return refuseDropout(dropout, context)
    return { ...json, merges: readMerges(json.merges, { vocab, prefix }, context) }
  })

/** Dropout makes tokens random. With 0 all merges apply, with 1 none. */
function refuseDropout(dropout: number, context: Pick<z.RefinementCtx, 'issues'>): never {
  return refuse(context, dropout, 'null, 0 or 1, because random merges are not supported', {
    path: ['dropout'],
    code: 'unsupported',
    remedy: 'Set it to null. Dropout of merges is for training only.',
  })
}

type Settings = z.output<typeof settings>

/**
 * Byte-pair encoding (Sennrich et al., 2016). A word is split into characters. Then the leftmost pair with the earliest
 * learned merge is joined, until no merge applies.
 */
class Bpe implements WordModel {
  readonly vocab: TokenIds
  readonly unknownToken: string | undefined
  readonly byteFallback: boolean
  readonly splitsCharacters: boolean
  readonly keepsSpaces = true
  private readonly settings: Settings
  private readonly merges: MergeTable

  constructor(settings: Settings) {
    const {
      vocab,
      merges,
      continuing_subword_prefix: prefix,
      end_of_word_suffix: suffix,
    } = settings
    this.vocab = vocab
    this.unknownToken = settings.unk_token ?? undefined
    this.byteFallback = settings.byte_fallback
    this.splitsCharacters =
      merges.size === 0 &&
      prefix === '' &&
      suffix === '' &&
      !settings.fuse_unk &&
      !settings.byte_fallback &&
      !settings.ignore_merges
    this.settings = settings
    this.merges = merges
  }

  encode(word: string): Pieces {
    const { ignore_merges, dropout } = this.settings
    const id = ignore_merges && !dropout ? this.vocab.get(word) : undefined
    if (id !== undefined) return { ids: [id], starts: [0], ends: [word.length] }
    const symbols = this.characters(word)
    if (this.merges.size > 0 && symbols.ids.length > 1 && !dropout) this.merge(symbols)
    return piecesOfBytes(word, symbols)
  }

  private characters(word: string): Symbols {
    const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = this.settings
    const symbols: Symbols = { ids: [], sizes: [] }
    let unknown = 0 // number of bytes of a pending unknown token
    const flush = (): void => {
      if (unknown > 0) add(symbols, this.unknownId(word), unknown)
      unknown = 0
    }
    for (let start = 0; start < word.length; ) {
      const end = nextCharacter(word, start)
      let character = word.slice(start, end)
      const size = utf8Size(character)
      if (start > 0) character = prefix + character
      if (end === word.length) character += suffix
      start = end
      const id = this.vocab.get(character)
      const bytes = id === undefined ? this.bytes(character) : undefined
      if (id !== undefined) {
        flush()
        add(symbols, id, size)
      } else if (bytes) {
        for (const byte of bytes) add(symbols, byte, 1) // as in Python, before an unknown token
      } else if (this.unknownToken !== undefined) {
        if (!this.settings.fuse_unk) flush()
        unknown += size
      }
    }
    flush()
    return symbols
  }

  /** The byte tokens (`<0xE2>`) of a character, if the vocabulary has all of them. */
  private bytes(character: string): number[] | undefined {
    return this.byteFallback ? byteTokens(character, this.vocab) : undefined
  }

  private unknownId(word: string): number {
    return unknownId(word, this.unknownToken, this.vocab)
  }

  private merge(symbols: Symbols): void {
    const { merges } = this
    const { ids, sizes } = symbols
    const length = ids.length
    const next = Int32Array.from(ids, (_, i) => i + 1)
    const before = Int32Array.from(ids, (_, i) => i - 1)
    const waiting = new NumberHeap() // rank and position in one number, with the earliest merge on top
    const rankAt = (at: number): number =>
      next[at] < length ? merges.rank(ids[at], ids[next[at]]) : NONE
    const consider = (at: number): void => {
      const rank = rankAt(at)
      if (rank !== NONE) waiting.push(rank * PLACES + at)
    }
    for (let i = 0; i + 1 < length; i++) consider(i)
    for (let top = waiting.pop(); top !== undefined; top = waiting.pop()) {
      const at = top % PLACES
      const token = merges.token((top - at) / PLACES)
      const rank = ids[at] === DEAD ? NONE : rankAt(at)
      // The pair may have changed since. As in Python, it is joined if it still forms the same token.
      if (rank === NONE || merges.token(rank) !== token) continue
      const right = next[at]
      ids[at] = token
      ids[right] = DEAD
      sizes[at] += sizes[right]
      next[at] = next[right]
      if (next[at] < length) before[next[at]] = at
      consider(at)
      if (before[at] >= 0) consider(before[at])
    }
    keepAlive(symbols)
  }
}

/** Tokens with their numbers of UTF-8 bytes. */
interface Symbols {
  ids: number[]
  sizes: number[]
}

function add({ ids, sizes }: Symbols, id: number, size: number): void {
  ids.push(id)
  sizes.push(size)
}

function keepAlive({ ids, sizes }: Symbols): void {
  let kept = 0
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === DEAD) continue
    ids[kept] = ids[i]
    sizes[kept++] = sizes[i]
  }
  ids.length = kept
  sizes.length = kept
}

const DEAD = -1
const NONE = -1
const PLACES = 2 ** 29 // longer than any string; 2^24 ranks times this are exact numbers

registerTokenizerStep('model', 'BPE', {
  schema: settings,
  make: (values) => new Bpe(values),
  readsTables: true,
})
