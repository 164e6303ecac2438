import { HeedError } from '../../util/errors.ts'
import { sentencePieceFiles } from './sentencepiece.ts'
import { specialToken, type TokenizerConfig, type TokenizerJson } from './tokenizer-json.ts'

/**
 * A SentencePiece model whose pieces have the ids that a vocab.json gives them, as Marian's folders have
 * one for each language. Pieces without an id are left out: what they stand for is cut otherwise.
 */
export function marianFiles(
  bytes: Uint8Array,
  vocab: unknown,
  config: TokenizerConfig,
  source: string,
): { json: TokenizerJson; config: TokenizerConfig } {
  const tokens = tokensById(vocab, source)
  const { json } = sentencePieceFiles(bytes, config, source)
  if (json.model.type !== 'Unigram')
    throw new HeedError('corrupt-file', `${source} is not a Unigram model, as those of Marian are`)
  const settings = { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>', ...config }
  const special = [settings.eos_token, settings.unk_token, settings.pad_token].filter(
    (token): token is string => typeof token === 'string' && tokens.includes(token),
  )
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const scores = new Map(json.model.vocab as [string, number][])
  return {
    config: settings,
    json: {
      ...json,
      added_tokens: [
        ...special.map((token) => specialToken(token, ids.get(token) as number)),
        ...tokens.filter(isLanguage).map((token) => {
          return { ...specialToken(token, ids.get(token) as number), special: false }
        }),
      ],
      post_processor: endedBy(special[0], ids.get(special[0])),
      model: {
        ...json.model,
        unk_id: ids.get('<unk>') ?? null,
        vocab: tokens.map((token) => [token, scores.get(token) ?? NEVER]),
      },
    },
  }
}

/** What a text into several languages begins with: `>>fra<<`. */
const isLanguage = (token: string): boolean => /^>>.{1,40}<<$/.test(token)

/** The score of a token of the other language, which this model does not cut. */
const NEVER = -1e6

function endedBy(end: string | undefined, id: number | undefined) {
  if (end === undefined) return null
  const after = { SpecialToken: { id: end, type_id: 0 } }
  const text = { Sequence: { id: 'A', type_id: 0 } }
  return {
    type: 'TemplateProcessing',
    single: [text, after],
    pair: [text, { Sequence: { id: 'B', type_id: 0 } }, after],
    special_tokens: { [end]: { id: end, ids: [id], tokens: [end] } },
  }
}

/** @throws HeedError unless ids are 0, 1, 2 …, each once */
function tokensById(vocab: unknown, source: string): string[] {
  const entries = Object.entries((vocab ?? {}) as Record<string, unknown>)
  const tokens = new Array<string | undefined>(entries.length)
  for (const [token, id] of entries) {
    const fits = Number.isInteger(id) && (id as number) >= 0 && (id as number) < entries.length
    if (!fits || tokens[id as number] !== undefined)
      throw new HeedError(
        'corrupt-file',
        `vocab.json beside ${source} gives ${JSON.stringify(token)} the id ${id}`,
        {
          remedy: `Its ${entries.length} tokens have the ids from 0 to ${entries.length - 1}, each once.`,
        },
      )
    tokens[id as number] = token
  }
  if (entries.length === 0)
    throw new HeedError('corrupt-file', `vocab.json beside ${source} holds no tokens`)
  return tokens as string[]
}
