// How the tokens of one tokenizer are made of the tokens of another one, for models that change their tokenizer.
import { argumentKinds } from '../../util/argument-kinds.ts'
import type { SpecialTokenName } from '../chat/special-tokens.ts'
import type { Tokenizer } from '../tokenizer.ts'

const checkPieces = argumentKinds('tokenPieces', { before: 'tokenizer', after: 'tokenizer' })

/**
 * Returns, for each token of `after`, the ids of its pieces in `before`: the token itself if both have it; for a token that
 * `extendTokenizer` added, the tokens that its merges join; otherwise the tokens of its text. Special tokens with the same
 * name, such as `eos_token`, are the same token. Empty for tokens without pieces.
 *
 *     await remapTokenEmbeddings(model, tokenPieces(before, after)) // of heed/models
 */
export function tokenPieces(before: Tokenizer, after: Tokenizer): number[][] {
  checkPieces(before, after)
  const addedMerges = mergesAfter(before, after)
  const cut = textCutter(before)
  const named = namesakes(before, after)
  const known = new Map<string, number[]>()
  const piecesOf = (token: string, id: number | undefined): number[] => {
    const found = known.get(token)
    if (found) return found
    const pieces = find(token, id)
    known.set(token, pieces)
    return pieces
  }
  const find = (token: string, id: number | undefined): number[] => {
    const same = before.tokenToId(token)
    if (same !== undefined) return [same]
    const namesake = id === undefined ? undefined : named.get(id)
    if (namesake !== undefined) return [namesake]
    const merge = addedMerges.get(token)
    if (merge) return merge.flatMap((part) => piecesOf(part, after.tokenToId(part)))
    const bytes = id === undefined ? null : after.tokenBytes(id)
    return bytes ? cut(bytes) : []
  }
  return Array.from({ length: after.vocabSize }, (_, id) => {
    const token = after.idToToken(id)
    return token === undefined ? [] : piecesOf(token, id)
  })
}

/** The merges that `after` has in addition, by their tokens; empty if it does not begin with those of `before`. */
function mergesAfter(before: Tokenizer, after: Tokenizer): Map<string, readonly [string, string]> {
  const [old, all] = [before, after].map((tokenizer) => pairsOf(tokenizer))
  const isExtended = old.length < all.length && old.every((pair, i) => pair.join(' ') === all[i].join(' ')) // biome-ignore format: one line
  if (!isExtended || old.length === 0) return new Map()
  const { continuing_subword_prefix: prefix } = after.toJSON().model
  const skipped = typeof prefix === 'string' ? prefix.length : 0
  return new Map(all.slice(old.length).map((pair) => [pair[0] + pair[1].slice(skipped), pair]))
}

function pairsOf(tokenizer: Tokenizer): (readonly [string, string])[] {
  const { merges } = tokenizer.toJSON().model
  if (!Array.isArray(merges)) return []
  return merges.map((merge: unknown) => {
    const [left, right] = Array.isArray(merge) ? merge : String(merge).split(' ')
    return [String(left), String(right)]
  })
}

/** Special tokens of `after` by id, with the ids of those with the same name in `before`. */
function namesakes(before: Tokenizer, after: Tokenizer): Map<number, number> {
  const found = new Map<number, number>()
  const [end, oldEnd] = [after.eosTokenId, before.eosTokenId] // first, because GPT-2 has one token for all
  if (end !== undefined && oldEnd !== undefined) found.set(end, oldEnd)
  for (const name of Object.keys(after.specialTokens) as SpecialTokenName[]) {
    const [id, same] = [after, before].map((tokenizer) => tokenizer.tokenToId(tokenizer.specialTokens[name] ?? '')) // biome-ignore format: one line
    if (id !== undefined && same !== undefined && !found.has(id)) found.set(id, same)
  }
  return found
}

/** Makes a function that cuts the bytes of a token into tokens: those of the encoded text, if it is a whole text. */
function textCutter(tokenizer: Tokenizer): (bytes: Uint8Array) => number[] {
  const ids = new Map<string, number>()
  let longest = 0
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.tokenBytes(id)
    if (!bytes || bytes.length === 0) continue
    ids.set(keyOf(bytes), id)
    longest = Math.max(longest, bytes.length)
  }
  const [first] = tokenizer.encode('a', { addSpecialTokens: false })
  // Such as SentencePiece's, which puts a space before each text.
  const addsSpace = first !== undefined && tokenizer.tokenBytes(first)?.[0] === SPACE
  return (bytes) => {
    const same = ids.get(keyOf(bytes))
    if (same !== undefined) return [same]
    const text = textOf(bytes)
    if (text !== null && (!addsSpace || text.startsWith(' '))) {
      const encoded = tokenizer.encode(addsSpace ? text.slice(1) : text, {
        addSpecialTokens: false,
      })
      const known = encoded.filter((id) => id !== tokenizer.unkTokenId)
      if (known.length > 0) return known
    }
    return longestFirst(bytes, ids, longest)
  }
}

const SPACE = 0x20
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null // a part of a character
  }
}

const keyOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes)

/** The longest token at each position; bytes without a token are skipped. */
function longestFirst(
  bytes: Uint8Array,
  ids: ReadonlyMap<string, number>,
  longest: number,
): number[] {
  const pieces: number[] = []
  for (let at = 0; at < bytes.length; ) {
    let size = Math.min(longest, bytes.length - at)
    while (size > 1 && !ids.has(keyOf(bytes.subarray(at, at + size)))) size--
    const id = ids.get(keyOf(bytes.subarray(at, at + size)))
    if (id !== undefined) pieces.push(id)
    at += size
  }
  return pieces
}
